//! docs/tutorial.md: the blocks on files are run here, those on a cluster by `tests/e2e/book.py`. The manifests of
//! README.md are checked.

use crate::blocks::{Terminal, blocks, commands};
use crate::repository;
use std::fs;

fn page(name: &str) -> String {
    fs::read_to_string(repository().join(name)).unwrap()
}

#[test]
fn every_command_of_the_tutorial_that_needs_no_cluster_prints_what_the_page_shows() {
    let terminal = Terminal::new();
    let (mut files, mut run) = (0, 0);
    for block in blocks(&page("docs/tutorial.md")) {
        let words: Vec<&str> = block.info.split(' ').collect();
        match words.as_slice() {
            ["yaml", name] => {
                files += 1;
                fs::write(terminal.folder().join(name), &block.text).unwrap();
            }
            ["console"] => {
                for (command, shown) in commands(&block.text) {
                    run += 1;
                    assert_eq!(terminal.run(&command), shown, "$ {command}");
                }
            }
            // tests/e2e/book.py runs these.
            ["console" | "sh", "cluster", ..] => {}
            other => panic!("a block that nothing runs: {other:?}"),
        }
    }
    // A page in which no block is found any more would pass otherwise.
    assert!(files >= 2 && run >= 8, "{files} files, {run} commands");
}

#[test]
fn the_file_that_the_tutorial_injects_and_cleans_is_the_same_again() {
    let terminal = Terminal::new();
    let job =
        blocks(&page("docs/tutorial.md")).into_iter().find(|block| block.info == "yaml job.yaml").unwrap();
    let path = terminal.folder().join("job.yaml");
    fs::write(&path, &job.text).unwrap();
    terminal.run("kubectl lastout inject -i job.yaml");
    assert_ne!(fs::read_to_string(&path).unwrap(), job.text);
    terminal.run("kubectl lastout uninject -i job.yaml");
    assert_eq!(fs::read_to_string(&path).unwrap(), job.text);
}

/// The Jobs and pods in a page's blocks.
fn manifests(page: &str) -> Vec<String> {
    let of_a_pod = |text: &str| text.contains("\nkind: Job\n") || text.contains("\nkind: Pod\n");
    let all = blocks(page).into_iter().filter(|block| block.info == "yaml" && of_a_pod(&block.text));
    all.map(|block| block.text).collect()
}

const CLEAN: &str = "kubectl-lastout: 1 file, 1 pod: 0 errors, 0 warnings\n";

#[test]
fn the_jobs_of_the_readme_are_clean() {
    let manifests = manifests(&page("README.md"));
    assert!(!manifests.is_empty());
    for manifest in manifests {
        let terminal = Terminal::new();
        fs::write(terminal.folder().join("job.yaml"), manifest).unwrap();
        assert_eq!(terminal.run("kubectl lastout check job.yaml"), CLEAN);
    }
}

/// Each guide shows the Job as people write it, and says that `inject` mends it.
#[test]
fn the_jobs_of_the_guides_are_clean_when_inject_has_been_there() {
    let mut seen = 0;
    for guide in fs::read_dir(repository().join("docs/guides")).unwrap() {
        let path = guide.unwrap().path();
        for manifest in manifests(&fs::read_to_string(&path).unwrap()) {
            seen += 1;
            let terminal = Terminal::new();
            fs::write(terminal.folder().join("job.yaml"), manifest).unwrap();
            let told = terminal.run("kubectl lastout inject -i job.yaml");
            assert!(told.contains("injected-wrap"), "{}: {told}", path.display());
            assert_eq!(terminal.run("kubectl lastout check job.yaml"), CLEAN, "{}", path.display());
        }
    }
    assert!(seen >= 9, "{seen}");
}
