//! Compiles the programs that the tests debug, each once per build.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What is built: the name of the executable, its source in `programs/`, and what the compiler is told besides the usual.
const PROGRAMS: [(&str, &str, &[&str]); 15] = [
    ("basics", "basics.c", &[]),
    ("basics-static", "basics.c", &["-static"]),
    ("basics-no-pie", "basics.c", &["-no-pie", "-fno-pie"]),
    ("beats", "beats.c", &[]),
    ("forker", "forker.c", &[]),
    ("loops", "loops.c", &[]),
    ("memory", "memory.c", &[]),
    ("memory-no-pie", "memory.c", &["-no-pie", "-fno-pie"]),
    ("prologues", "prologues.c", &["-no-pie", "-fno-pie"]),
    ("registers", "registers.c", &[]),
    ("signals", "signals.c", &[]),
    ("streams", "streams.c", &[]),
    ("surroundings", "surroundings.c", &[]),
    ("traced", "traced.c", &[]),
    ("trials", "trials.c", &["-no-pie", "-fno-pie"]),
];

/// The program for i386: built where the compiler and its libraries can, absent elsewhere.
const I386: (&str, &str, &[&str]) = ("basics-i386", "basics.c", &["-m32"]);

fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=programs");
    println!("cargo:rerun-if-env-changed=CC");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for (name, source, flags) in PROGRAMS {
        if let Err(message) = compile(&out, name, source, flags) {
            println!("cargo:error=programs/{source} does not compile: {message}");
            return ExitCode::FAILURE;
        }
    }
    let (name, source, flags) = I386;
    if compile(&out, name, source, flags).is_err() {
        println!("cargo:warning=the compiler makes no i386 programs here; the test of one will be skipped");
    }
    ExitCode::SUCCESS
}

fn compile(out: &Path, name: &str, source: &str, flags: &[&str]) -> Result<(), String> {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let output = Command::new(&compiler)
        .args(["-g", "-O0", "-Wall", "-Wextra", "-Werror", "-pthread"])
        .args(flags)
        .arg("-o")
        .arg(out.join(name))
        .arg(Path::new("programs").join(source))
        .output()
        .map_err(|error| format!("{compiler} does not start: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).replace('\n', " | ")) }
}
