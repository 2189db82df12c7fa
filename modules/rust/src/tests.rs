//! The layouts of raw.rs, as sluice_c.h has them. What the crate does is tested with a server.
use crate::raw;
use std::mem::size_of;

// A program without a module links the interface for C all the same.
struct Nothing;
impl crate::Filter for Nothing {
    fn create(_: crate::Host) -> Result<Self, String> {
        Ok(Nothing)
    }
}
crate::filter!(Nothing, name: "nothing", version: "1.0.0", summary: "Nothing",
               needs: crate::needs::NETWORK | crate::needs::WRITING, options: [("one", "1", "The first")]);

#[test]
fn a_filter_describes_itself() {
    assert_eq!(sluice_module.needs, 33);
    assert_eq!(sluice_module.size as usize, size_of::<raw::ModuleInfo>());
    assert_eq!(sluice_module.option_count, 1);
    assert!(sluice_module.default_mount.is_null());
    assert!(sluice_module.create.is_none());
    assert!(sluice_module.create_filter.is_some());
}

#[test]
fn structs_have_the_sizes_of_the_interface() {
    assert_eq!(size_of::<raw::Bytes>(), 16);
    assert_eq!(size_of::<raw::Field>(), 40);
    assert_eq!(size_of::<raw::Request>(), 16 + 8 + 5 * 16 + 16 + 32);
    assert_eq!(size_of::<raw::OptionInfo>(), 40);
    assert_eq!(size_of::<raw::ModuleInfo>(), 16 + 8 + 5 * 8 + 8 + 3 * 8 + 8);
    assert_eq!(size_of::<raw::HandlerTable>(), 48);
    assert_eq!(size_of::<raw::FilterTable>(), 48);
    assert_eq!(size_of::<raw::Outcome>(), 32);
    assert_eq!(size_of::<raw::Passed>(), 16);
    assert_eq!(size_of::<raw::Moved>(), 16);
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
