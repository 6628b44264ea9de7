//! The release builds: their size and memory, and that the static build needs no other file on its machine.
//! `make test` builds both binaries first.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use support::{Server, check};

/// Finds a binary below `target/`. Without it the test is skipped.
fn find_build(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target").join(path);
    if path.exists() {
        return Some(path);
    }
    check::skip(format_args!("{} is not built: try `make test`", path.display()));
    None
}

#[test]
fn the_release_build_is_small() {
    let Some(binary) = find_build("release/wirechat") else { return };
    let size = fs::metadata(binary).unwrap().len();
    assert!(size <= 1_225_000, "{size} bytes"); // the register and the manual are part of it
}

/// At this size 9000 members fit into 150 MB.
#[test]
fn an_idle_member_takes_at_most_16_kilobytes() {
    const MEMBERS: u64 = 500;
    let Some(binary) = find_build("release/wirechat") else { return };
    let mut command = Command::new(binary);
    command.args(["serve", "--bind", "127.0.0.1:0", "--max-connections", "600"]);
    let server = Server::spawn(command);
    let before = server.memory();
    let members: Vec<_> = (0..MEMBERS).map(|_| server.upgrade("/chat")).collect();
    let each = (server.memory() - before) / MEMBERS;
    assert!(each <= 16, "{each} kB");
    drop(members);
}

#[test]
fn the_static_build_is_one_small_file() {
    let Some(binary) = find_build("wirechat-static") else { return };
    let size = fs::metadata(&binary).unwrap().len();
    assert!(size <= 2_126_000, "{size} bytes");
    let ldd = Command::new("ldd").arg(binary).output().unwrap();
    let output = [ldd.stdout, ldd.stderr].concat();
    let output = String::from_utf8_lossy(&output);
    assert!(output.contains("statically linked") || output.contains("not a dynamic"), "{output}");
}

#[test]
fn the_static_build_runs_in_an_empty_directory() {
    let Some(binary) = find_build("wirechat-static") else { return };
    let root = std::env::temp_dir().join(format!("wirechat-{}", std::process::id()));
    fs::create_dir_all(&root).unwrap();
    fs::copy(binary, root.join("wirechat")).unwrap();
    fs::set_permissions(root.join("wirechat"), fs::Permissions::from_mode(0o755)).unwrap();

    let mut chroot = Command::new("chroot");
    if !Command::new("chroot").args(["/", "true"]).status().is_ok_and(|status| status.success()) {
        chroot = Command::new("unshare"); // without root: in a new user namespace
        chroot.args(["--map-root-user", "chroot"]);
    }
    chroot.arg(&root).args(["/wirechat", "serve", "--bind", "127.0.0.1:0"]);
    let server = Server::spawn(chroot);
    let mut member = server.upgrade("/chat");
    member.expect_open();
    assert_eq!(server.get("/healthz").text(), "ok\n");
    drop(server);
    fs::remove_dir_all(root).unwrap();
}
