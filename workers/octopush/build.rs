//! Rebuild when a SQL file is added or changed: include_dir cannot see new files by itself.
fn main() {
    println!("cargo:rerun-if-changed=../../sql");
    println!("cargo:rerun-if-changed=build.rs");
}
