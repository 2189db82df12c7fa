//! The layouts of raw.rs, as sluice_c.h has them. What the crate does is tested with a server.
use crate::raw;
use std::mem::size_of;

// A program without a module links the interface for C all the same.
#[no_mangle]
#[allow(non_upper_case_globals)]
static sluice_the_handler: Option<&u8> = None;
#[no_mangle]
#[allow(non_upper_case_globals)]
static sluice_the_filter: Option<&u8> = None;

#[test]
fn structs_have_the_sizes_of_the_interface() {
    assert_eq!(size_of::<raw::Bytes>(), 16);
    assert_eq!(size_of::<raw::Field>(), 40);
    assert_eq!(size_of::<raw::Request>(), 16 + 8 + 5 * 16 + 16 + 32);
    assert_eq!(size_of::<raw::OptionInfo>(), 40);
    assert_eq!(size_of::<raw::ModuleInfo>(), 16 + 8 + 5 * 8 + 8 + 3 * 8);
    assert_eq!(size_of::<raw::HandlerTable>(), 48);
}

#[test]
fn texts_for_c_end_at_a_nul() {
    assert_eq!(crate::c_text("a\0b").as_bytes(), b"a");
    assert_eq!(crate::c_text("").as_bytes(), b"");
}

#[test]
fn no_bytes_are_an_empty_slice() {
    let none = raw::Bytes { data: std::ptr::null(), size: 0 };
    assert_eq!(unsafe { none.get() }, b"");
    assert_eq!(unsafe { raw::Bytes::of(b"ab").get() }, b"ab");
}
