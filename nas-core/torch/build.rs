//! Gives every binary, test and benchmark of this crate the path of the libtorch it was linked to.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // torch-sys reports the folder under the name of its `links` key.
    if let Ok(folder) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
}
