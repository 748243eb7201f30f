//! Our own memory: as little of it as can be while main runs, and as few page faults as can be before.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of the arena. A run without options takes a third of it.
const ARENA: usize = 8 * 1024;

/// The allocator: the first blocks come out of a static arena, one behind the other, all others from the C library.
/// musl maps a page for the first block of every size, and each page costs a system call and a fault: half of what
/// starting took.
#[repr(C)]
struct Frugal {
    /// Bytes of the arena that are given out. Blocks of it are not taken back, but for the last one. In front, as
    /// that page is taken in any case.
    used: AtomicUsize,
    arena: UnsafeCell<[u8; ARENA]>,
}

// SAFETY: the arena's bytes are only reached through blocks, and `used` hands out no byte that is in use: who gives the
// last block back releases its bytes, who takes them acquires them.
unsafe impl Sync for Frugal {}

#[global_allocator]
static ALLOCATOR: Frugal = Frugal { arena: UnsafeCell::new([0; ARENA]), used: AtomicUsize::new(0) };

impl Frugal {
    fn base(&self) -> *mut u8 {
        self.arena.get().cast()
    }

    /// Where this block of the arena begins; `None`: it is none.
    fn offset_of(&self, block: *mut u8) -> Option<usize> {
        let offset = (block as usize).wrapping_sub(self.base() as usize);
        (offset < ARENA).then_some(offset)
    }

    /// Moves the end of what is given out, if it is still where it is thought to be.
    fn move_end(&self, from: usize, to: usize) -> bool {
        to <= ARENA && self.used.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

// SAFETY: blocks of the arena are aligned, disjoint and as long as asked for; all others are System's.
unsafe impl GlobalAlloc for Frugal {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = self.used.load(Ordering::Acquire);
        let begin = (self.base() as usize + used).next_multiple_of(layout.align()) - self.base() as usize;
        if self.move_end(used, begin.saturating_add(layout.size())) {
            // SAFETY: within the arena.
            return unsafe { self.base().add(begin) };
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match self.offset_of(block) {
            Some(begin) => {
                self.move_end(begin + layout.size(), begin);
            }
            // SAFETY: not ours, so it came from there.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        match self.offset_of(block) {
            // The last block grows where it is.
            Some(begin) if self.move_end(begin + layout.size(), begin.saturating_add(size)) => block,
            Some(_) => {
                // SAFETY: the caller promises that the new size is a valid one for this alignment.
                let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
                if !new.is_null() {
                    // SAFETY: both are blocks of at least that many bytes, and disjoint.
                    unsafe { std::ptr::copy_nonoverlapping(block, new, size.min(layout.size())) };
                }
                new
            }
            // SAFETY: not ours, so it came from there.
            None => unsafe { System.realloc(block, layout, size) },
        }
    }
}

/// `madvise(MADV_DONTNEED)` on our own code and constants: the pages of our file that starting took are not needed
/// while main runs, and come back from the page cache one by one.
pub fn give_back_pages() {
    // SAFETY: takes an integer.
    let (headers, count) = unsafe { (libc::getauxval(libc::AT_PHDR), libc::getauxval(libc::AT_PHNUM)) };
    if headers == 0 {
        return;
    }
    // SAFETY: the kernel has told where our program headers are, and how many.
    let headers = unsafe { std::slice::from_raw_parts(headers as *const libc::Elf64_Phdr, count as usize) };
    let ours =
        headers.iter().filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0);
    let at = headers.as_ptr() as u64;
    // Else we have been loaded elsewhere than we were linked for.
    let as_linked =
        ours.clone().any(|header| (header.p_vaddr..header.p_vaddr + header.p_memsz).contains(&at));
    // From the last to the first: the headers themselves are in the first.
    for header in ours.rev().filter(|_| as_linked) {
        // SAFETY: clean pages of a private mapping of a file; touched again, they are read again.
        unsafe { libc::madvise(header.p_vaddr as *mut c_void, header.p_memsz as usize, libc::MADV_DONTNEED) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    // Of its own, as the program's is used up by what comes before a test.
    static ARENA_OF_TEST: Frugal = Frugal { used: AtomicUsize::new(0), arena: UnsafeCell::new([0; ARENA]) };

    /// Made for Miri (scripts/miri), which also sees a byte that two threads have at a time.
    #[test]
    fn blocks_are_aligned_and_nobody_elses() {
        let work = |thread: u8| {
            for round in 1..60_usize {
                let layout = Layout::from_size_align(round, 1 << (round % 5)).unwrap();
                // SAFETY: no size is 0, each block is used within its size, and given back once with what it was taken by.
                unsafe {
                    let block = ARENA_OF_TEST.alloc(layout);
                    assert!(block.cast::<u8>().addr().is_multiple_of(layout.align()));
                    block.write_bytes(thread, round);
                    let block = ARENA_OF_TEST.realloc(block, layout, 2 * round);
                    assert!(std::slice::from_raw_parts(block, round).iter().all(|&byte| byte == thread));
                    block.write_bytes(thread, 2 * round);
                    let grown = Layout::from_size_align(2 * round, layout.align()).unwrap();
                    ARENA_OF_TEST.dealloc(block, grown);
                }
            }
        };
        thread::scope(|scope| (1..4).for_each(|thread| drop(scope.spawn(move || work(thread)))));
    }
}
