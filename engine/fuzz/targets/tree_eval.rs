#![no_main]

#[path = "../bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(init: bodies::print_panics(), |data: &[u8]| bodies::tree_eval(data));
