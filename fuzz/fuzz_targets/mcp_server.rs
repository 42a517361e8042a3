//! Any bytes: see `latchkey::fuzzing::mcp_server`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| latchkey::fuzzing::mcp_server(bytes));
