//! Any bytes: see `latchkey::fuzzing::auth_file`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| latchkey::fuzzing::auth_file(bytes));
