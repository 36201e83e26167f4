//! Compiles the kernels, and gives every binary, test and benchmark of this crate the path of the
//! libtorch it was linked to.

use std::env;
use std::path::{Path, PathBuf};

/// Each instruction set's file and what it is compiled with.
const X86_KERNELS: [(&str, &[&str]); 2] = [
    ("avx2", &["-mavx2", "-mfma"]),
    ("avx512", &["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx2", "-mfma"]),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=kernels");
    // torch-sys reports the folder under the name of its `links` key.
    let Ok(libraries) = env::var("DEP_TCH_LIBTORCH_LIB") else {
        println!(
            "cargo:warning=torch-sys did not say where libtorch is: the kernels can't be built"
        );
        return;
    };
    println!("cargo:rustc-link-arg=-Wl,-rpath,{libraries}");
    let is_x86 = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64");
    compile("portable", &[]);
    for (name, flags) in X86_KERNELS.iter().filter(|_| is_x86) {
        compile(name, flags);
    }
    let mut bridge = build();
    for folder in include_folders(Path::new(&libraries)) {
        // Not `include`: warnings in libtorch's own headers are not ours to mend.
        bridge.flag("-isystem").flag(folder);
    }
    // Threads of libtorch's own pool; its OpenMP is loaded already, by the name that is linked.
    for name in ["bridge", "convolutions", "normalized_sum", "pools"] {
        bridge.file(format!("kernels/{name}.cpp"));
    }
    bridge.flag("-fopenmp").compile("nas_bridge");
    println!("cargo:rustc-link-lib=gomp");
    // libtch leaves these out where nothing of its own needs them.
    println!("cargo:rustc-link-lib=torch_cpu");
    println!("cargo:rustc-link-lib=c10");
}

fn compile(name: &str, flags: &[&str]) {
    let mut kernels = build();
    for flag in flags {
        kernels.flag(flag);
    }
    // Vectors of 64 bytes never cross a function that is not inlined.
    kernels.flag("-Wno-psabi").file(format!("kernels/{name}.cpp"));
    kernels.compile(&format!("nas_kernels_{name}"));
}

/// Optimised in every profile: nobody debugs these, and everything waits for them.
fn build() -> cc::Build {
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").opt_level(3).debug(false).flag_if_supported("-Wno-pragmas");
    build
}

fn include_folders(libraries: &Path) -> Vec<PathBuf> {
    let include = env::var_os("LIBTORCH_INCLUDE")
        .map_or_else(|| libraries.join(".."), PathBuf::from)
        .join("include");
    vec![include.join("torch/csrc/api/include"), include]
}
