//! Any bytes: see `latchkey::fuzzing::pasted_answer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| latchkey::fuzzing::pasted_answer(bytes));
