//! Any bytes: see `latchkey::fuzzing::rescue_file`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| latchkey::fuzzing::rescue_file(bytes));
