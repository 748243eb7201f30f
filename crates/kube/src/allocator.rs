//! The allocator where the target's own is musl's: dlmalloc, which has one lock for all threads. In front of it each thread keeps
//! some of the small blocks that it has freed and takes them again, without the lock: a pod is read into a thousand of them, all
//! freed with its answer.

#[cfg(all(target_env = "musl", not(test)))]
use dlmalloc::GlobalDlmalloc as Heap;
use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ptr;

/// What gives blocks and gets them back. Elsewhere than on musl only tests come here, whose heap looks at what it gets back.
#[cfg(all(target_env = "musl", not(test)))]
static HEAP: Heap = Heap;
#[cfg(all(not(target_env = "musl"), not(test)))]
static HEAP: std::alloc::System = std::alloc::System;
#[cfg(test)]
static HEAP: tests::Looking = tests::Looking;

/// Alignment of all blocks that are kept, and the step from one class of sizes to the next: dlmalloc gives multiples of it, less
/// 8 bytes of its own.
const STEP: usize = 16;
/// Bytes of a block of the first class.
const LEAST: usize = 24;
const CLASSES: usize = 31;
/// Bytes of the largest block that is kept.
pub const LARGEST: usize = LEAST + (CLASSES - 1) * STEP;
/// Bytes of one class that a thread keeps, so that all of them are half a MiB at most.
const KEPT: usize = 16 * 1024;

/// The global allocator.
#[derive(Debug)]
pub struct Keeping;

thread_local! {
    static STORE: Store = const { Store([const { Stack { first: Cell::new(ptr::null_mut()), count: Cell::new(0) } }; CLASSES]) };
}

/// What a thread keeps, by class.
struct Store([Stack; CLASSES]);

/// Free blocks of one class; each begins with the address of the next.
struct Stack {
    first: Cell<*mut u8>,
    count: Cell<usize>,
}

/// A class of sizes.
#[derive(Clone, Copy)]
struct Class(usize);

impl Class {
    /// That of the blocks for this layout; `None`: they are not kept.
    #[inline]
    fn of(layout: Layout) -> Option<Self> {
        let class = (layout.size().max(LEAST) - LEAST).div_ceil(STEP);
        (class < CLASSES && layout.align() <= STEP).then_some(Self(class))
    }

    /// How the heap knows its blocks.
    #[inline]
    fn layout(self) -> Layout {
        let size = LEAST + self.0 * STEP;
        // SAFETY: the alignment is a power of two, and the size far from the limit.
        #[expect(unsafe_code, reason = "as all of the allocator")]
        unsafe {
            Layout::from_size_align_unchecked(size, STEP)
        }
    }

    /// A thread's blocks of it; `None` at the end of the thread.
    #[inline]
    fn with<T>(self, act: impl FnOnce(&Stack) -> Option<T>) -> Option<T> {
        STORE.try_with(|store| store.0.get(self.0).and_then(act)).ok().flatten()
    }
}

#[expect(unsafe_code, reason = "an allocator is no other thing")]
mod blocks {
    use super::{Class, GlobalAlloc, HEAP, KEPT, Keeping, Layout, Stack, Store, ptr};

    impl Stack {
        #[inline]
        fn take(&self) -> Option<*mut u8> {
            let block = self.first.get();
            if block.is_null() {
                return None;
            }
            // SAFETY: whoever kept it has written the next one's address there, and nobody else has it since.
            self.first.set(unsafe { block.cast::<*mut u8>().read() });
            self.count.set(self.count.get() - 1);
            Some(block)
        }

        /// `None`: there are enough.
        ///
        /// # Safety
        /// The block is of this class, and free.
        #[inline]
        unsafe fn keep(&self, block: *mut u8, class: Class) -> Option<()> {
            if self.count.get() >= KEPT / class.layout().size() {
                return None;
            }
            // SAFETY: a block of any class has room for an address, and is aligned for it.
            unsafe { block.cast::<*mut u8>().write(self.first.get()) };
            self.first.set(block);
            self.count.set(self.count.get() + 1);
            Some(())
        }
    }

    impl Drop for Store {
        fn drop(&mut self) {
            for (class, stack) in self.0.iter().enumerate() {
                while let Some(block) = stack.take() {
                    // SAFETY: all blocks of a class come from the heap by this layout.
                    unsafe { HEAP.dealloc(block, Class(class).layout()) };
                }
            }
        }
    }

    // SAFETY: a block is the heap's, or one that was freed on this thread and is of the same class. `thread_local` does not
    // allocate by the global allocator, and nothing here unwinds.
    unsafe impl GlobalAlloc for Keeping {
        #[inline]
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let Some(class) = Class::of(layout) else {
                // SAFETY: as the caller says.
                return unsafe { HEAP.alloc(layout) };
            };
            // SAFETY: the size of a class is not 0.
            class.with(Stack::take).unwrap_or_else(|| unsafe { HEAP.alloc(class.layout()) })
        }

        #[inline]
        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            if Class::of(layout).is_none() {
                // SAFETY: as the caller says.
                return unsafe { HEAP.alloc_zeroed(layout) };
            }
            // SAFETY: as the caller says; a block has at least the bytes that are asked for.
            unsafe {
                let block = self.alloc(layout);
                if !block.is_null() {
                    block.write_bytes(0, layout.size());
                }
                block
            }
        }

        #[inline]
        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            let Some(class) = Class::of(layout) else {
                // SAFETY: as the caller says.
                return unsafe { HEAP.dealloc(block, layout) };
            };
            // SAFETY: the caller has the block from `alloc` with this layout, so it is of the class, and free from now on.
            if class.with(|stack| unsafe { stack.keep(block, class) }).is_none() {
                // SAFETY: all blocks of a class come from the heap by this layout.
                unsafe { HEAP.dealloc(block, class.layout()) };
            }
        }

        #[inline]
        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            // SAFETY: the caller says that the size fits the alignment.
            let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
            match (Class::of(layout), Class::of(wanted)) {
                (Some(before), Some(after)) if before.0 == after.0 => block,
                // SAFETY: as the caller says.
                (None, None) => unsafe { HEAP.realloc(block, layout, size) },
                // SAFETY: as the caller says; both blocks have the bytes that are copied.
                _ => unsafe {
                    let other = self.alloc(wanted);
                    if !other.is_null() {
                        ptr::copy_nonoverlapping(block, other, layout.size().min(size));
                        self.dealloc(block, layout);
                    }
                    other
                },
            }
        }
    }
}

#[cfg(test)]
#[expect(unsafe_code, reason = "blocks are had in no other way")]
mod tests {
    use super::*;
    use std::alloc::System;
    use std::collections::BTreeMap;
    use std::sync::Mutex;
    use std::thread;

    /// The system's, which forgets by which layout it gave a block: this one gets each back by the same.
    pub struct Looking;

    static GIVEN: Mutex<BTreeMap<usize, Layout>> = Mutex::new(BTreeMap::new());

    // SAFETY: all is done by the system's.
    unsafe impl GlobalAlloc for Looking {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: as the caller says.
            let block = unsafe { System.alloc(layout) };
            GIVEN.lock().unwrap().insert(block.addr(), layout);
            block
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            assert_eq!(GIVEN.lock().unwrap().remove(&block.addr()), Some(layout));
            // SAFETY: as the caller says.
            unsafe { System.dealloc(block, layout) };
        }
    }

    fn given(size: usize) -> usize {
        GIVEN.lock().unwrap().values().filter(|layout| layout.size() == size).count()
    }

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn a_class_has_room_for_all_its_sizes_and_no_more_than_a_step() {
        for size in 0..=2000 {
            match Class::of(layout(size, 8)) {
                Some(class) => {
                    let room = class.layout().size();
                    assert!(room >= size && (room < size + STEP || room == LEAST), "{size}: {room}");
                }
                None => assert!(size > LARGEST, "{size}"),
            }
        }
        assert!(Class::of(layout(24, 32)).is_none());
    }

    #[test]
    fn a_block_that_was_freed_comes_again_with_its_bytes_written_and_grows_with_them() {
        // SAFETY: each block is used within its size, and freed by the layout that it has then.
        unsafe {
            let first = Keeping.alloc(layout(30, 8));
            first.write_bytes(7, 30);
            assert_eq!(Keeping.realloc(first, layout(30, 8), 40), first);
            Keeping.dealloc(first, layout(40, 8));
            let again = Keeping.alloc_zeroed(layout(25, 1));
            assert_eq!(again, first);
            let bytes = |block: *mut u8, size| std::slice::from_raw_parts(block, size).to_vec();
            assert_eq!(bytes(again, 25), [0; 25]);
            again.write_bytes(9, 25);
            let mut block = again;
            let mut size = 25;
            for next in [100, 504, 505, 5_000, 300, 10] {
                block = Keeping.realloc(block, layout(size, 1), next);
                size = next;
                assert_eq!(bytes(block, size.min(10)), [9; 10], "{size}");
            }
            Keeping.dealloc(block, layout(size, 1));
        }
    }

    #[test]
    fn a_thread_keeps_its_part_of_what_it_frees_and_gives_it_back_at_its_end() {
        // A class that no other test has, at its size and beyond what is kept of it.
        const SIZE: usize = 200;
        const KEPT_OF_IT: usize = KEPT / SIZE;
        let blocks: Vec<usize> = thread::spawn(|| {
            // SAFETY: the size is not 0.
            (0..3 * KEPT_OF_IT)
                .map(|_| unsafe { Keeping.alloc(layout(SIZE, 8)) }.expose_provenance())
                .collect()
        })
        .join()
        .unwrap();
        assert_eq!(given(SIZE), blocks.len());
        let kept = thread::spawn(move || {
            for block in blocks {
                // SAFETY: they come from above, by the same layout.
                unsafe { Keeping.dealloc(ptr::with_exposed_provenance_mut(block), layout(SIZE, 8)) };
            }
            given(SIZE)
        });
        assert_eq!(kept.join().unwrap(), KEPT_OF_IT);
        assert_eq!(given(SIZE), 0);
    }
}
