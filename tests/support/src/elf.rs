//! ELF files: small ones made by hand that cannot be executed, and the few facts of a real one.

/// A 64-bit executable of this machine that wants this program interpreter.
pub fn with_interpreter(path: &str) -> Vec<u8> {
    let mut name = path.as_bytes().to_vec();
    name.push(0);
    build(native_machine(), &[(3, 120, u64::try_from(name.len()).unwrap())], &name)
}

/// A 32-bit executable for x86 that wants this program interpreter.
pub fn of_32_bits(path: &str) -> Vec<u8> {
    const HEADER: u32 = 52;
    const ENTRY: u32 = 32;
    let name = [path.as_bytes(), b"\0"].concat();
    let at = HEADER + ENTRY;
    let mut out = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    out.extend([2_u16, 3].iter().flat_map(|n| n.to_le_bytes())); // ET_EXEC, EM_386
    out.extend([1, 0x0804_8000 + at, HEADER, 0, 0].iter().flat_map(|n: &u32| n.to_le_bytes()));
    out.extend([52_u16, 32, 1, 40, 0, 0].iter().flat_map(|n| n.to_le_bytes()));
    let length = u32::try_from(name.len()).unwrap();
    let place = 0x0804_8000 + at;
    out.extend([3, at, place, place, length, length, 5, 1].iter().flat_map(|n: &u32| n.to_le_bytes()));
    out.extend(name);
    out
}

/// A 64-bit executable of an architecture that this machine is not (and that no emulator is likely to be
/// registered for).
pub fn of_another_machine() -> Vec<u8> {
    const EM_V800: u16 = 36;
    build(EM_V800, &[(1, 0, 120)], b"")
}

/// The beginning of a 64-bit big-endian executable for s390x.
pub fn of_s390x() -> Vec<u8> {
    const EM_S390: u16 = 22;
    let mut out = b"\x7fELF\x02\x02\x01\0\0\0\0\0\0\0\0\0".to_vec();
    out.extend([2, EM_S390].iter().flat_map(|n: &u16| n.to_be_bytes()));
    out.resize(64, 0);
    out
}

/// ELF header, one program header each of (type, offset, size), then the data at offset 120.
fn build(machine: u16, segments: &[(u32, u64, u64)], data: &[u8]) -> Vec<u8> {
    assert_eq!(segments.len(), 1);
    let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    out.extend(2_u16.to_le_bytes()); // ET_EXEC
    out.extend(machine.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    for n in [0x40_0078_u64, 64, 0] {
        out.extend(n.to_le_bytes()); // entry, program headers, section headers
    }
    out.extend(0_u32.to_le_bytes());
    for n in [64_u16, 56, 1, 64, 0, 0] {
        out.extend(n.to_le_bytes());
    }
    for &(kind, offset, size) in segments {
        out.extend(kind.to_le_bytes());
        out.extend(5_u32.to_le_bytes()); // read, execute
        for n in [offset, 0x40_0000 + offset, 0x40_0000 + offset, size, size, 1] {
            out.extend(n.to_le_bytes());
        }
    }
    out.extend(data);
    out
}

fn native_machine() -> u16 {
    let me = std::fs::read("/proc/self/exe").unwrap();
    u16::from_le_bytes([me[18], me[19]])
}

/// What an executable needs from others to run.
#[derive(Debug, PartialEq, Eq)]
pub struct Needs {
    /// It has a `PT_INTERP`.
    pub interpreter: bool,
    /// How many `DT_NEEDED` libraries.
    pub libraries: usize,
}

/// Reads them from a 64-bit little-endian ELF file.
pub fn needs(file: &[u8]) -> Needs {
    const PT_DYNAMIC: u32 = 2;
    const PT_INTERP: u32 = 3;
    assert_eq!(&file[..6], b"\x7fELF\x02\x01", "a 64-bit little-endian ELF file");
    let u16_at = |at: usize| usize::from(u16::from_le_bytes(file[at..at + 2].try_into().unwrap()));
    let u64_at =
        |at: usize| usize::try_from(u64::from_le_bytes(file[at..at + 8].try_into().unwrap())).unwrap();
    let headers = (0..u16_at(56)).map(|i| u64_at(32) + i * u16_at(54));
    let mut needs = Needs { interpreter: false, libraries: 0 };
    for at in headers {
        match u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) {
            PT_INTERP => needs.interpreter = true,
            PT_DYNAMIC => {
                let (offset, size) = (u64_at(at + 8), u64_at(at + 32));
                let tags = (offset..offset + size).step_by(16).map(u64_at);
                needs.libraries += tags.take_while(|&tag| tag != 0).filter(|&tag| tag == 1).count();
            }
            _ => {}
        }
    }
    needs
}
