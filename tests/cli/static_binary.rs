//! The release binary runs in an empty image: it needs no loader and no library, and is small.

use support::{
    elf::{Needs, needs},
    init::given_binary,
    skip,
};

const MIB: usize = 1 << 20;

#[test]
fn the_release_binary_is_static_and_at_most_one_mebibyte() {
    let Some(path) = given_binary() else {
        return skip("LASTOUT_BIN is not set: the release binary is not looked at");
    };
    only_ours!();
    let file = std::fs::read(&path).unwrap();
    assert_eq!(needs(&file), Needs { interpreter: false, libraries: 0 }, "{}", path.display());
    assert!(file.len() <= MIB, "{} bytes", file.len());
}
