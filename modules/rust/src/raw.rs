//! The interface for C as sluice_c.h declares it, as far as this crate uses it.
#![allow(missing_docs)]

use std::os::raw::{c_char, c_void};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    pub data: *const c_char,
    pub size: usize,
}

impl Bytes {
    pub fn of(bytes: &[u8]) -> Self {
        Bytes { data: bytes.as_ptr().cast(), size: bytes.len() }
    }
    /// # Safety
    /// The bytes live, and do not change, for as long as `'a`.
    pub unsafe fn get<'a>(self) -> &'a [u8] {
        if self.size == 0 {
            return &[];
        }
        std::slice::from_raw_parts(self.data.cast(), self.size)
    }
}

#[repr(C)]
pub struct Field {
    pub name: Bytes,
    pub value: Bytes,
    pub id: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct Request {
    pub size: u32,
    pub method: u32,
    pub version: u32,
    pub field_count: u32,
    pub fields: *const Field,
    pub method_name: Bytes,
    pub target: Bytes,
    pub path: Bytes,
    pub mount: Bytes,
    pub query: Bytes,
    pub body_size: u64,
    pub arrived_ns: u64,
    pub authority: Bytes,
    pub scheme: Bytes,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ticket {
    pub value: u64,
}

#[repr(C)]
pub struct OptionInfo {
    pub name: *const c_char,
    pub kind: u32,
    pub reserved: u32,
    pub fallback: *const c_char,
    pub help: *const c_char,
    pub choices: *const c_char,
}
// Constant texts.
unsafe impl Sync for OptionInfo {}

#[repr(C)]
pub struct HandlerTable {
    pub create: Option<unsafe extern "C" fn(*mut c_void) -> *mut c_void>,
    pub handle: Option<unsafe extern "C" fn(*mut c_void, *mut c_void)>,
    pub retire: Option<unsafe extern "C" fn(*mut c_void)>,
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    pub ended: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, *const c_void)>,
    pub leaving: Option<unsafe extern "C" fn(*mut c_void, u32)>,
}

#[repr(C)]
pub struct FilterTable {
    pub create: Option<unsafe extern "C" fn(*mut c_void) -> *mut c_void>,
    pub request: Option<unsafe extern "C" fn(*mut c_void, *mut c_void)>,
    pub answer: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, *mut c_void)>,
    pub ended: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, *const Outcome)>,
    pub retire: Option<unsafe extern "C" fn(*mut c_void)>,
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
}

#[repr(C)]
pub struct TransformTable {
    pub pass: Option<unsafe extern "C" fn(*mut c_void, Bytes, u32, *mut c_void) -> Passed>,
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
}

#[repr(C)]
pub struct BodyTable {
    pub pump: Option<unsafe extern "C" fn(*mut c_void, *mut c_void) -> u32>,
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
}

#[repr(C)]
pub struct Moved {
    pub size: u64,
    pub status: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct Passed {
    pub size: u64,
    pub progress: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct Outcome {
    pub size: u32,
    pub status: u32,
    pub sent: u64,
    pub took_ns: u64,
    pub ending: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct TaskTable {
    pub resumed: Option<unsafe extern "C" fn(*mut c_void, *mut c_void)>,
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
}

#[repr(C)]
pub struct ReaderTable {
    pub take: Option<unsafe extern "C" fn(*mut c_void, Bytes) -> u64>,
    pub end: Option<unsafe extern "C" fn(*mut c_void)>,
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
}

#[repr(C)]
pub struct WorkTable {
    pub run: Option<unsafe extern "C" fn(*mut c_void)>,
    pub done: Option<unsafe extern "C" fn(*mut c_void, bool)>,
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
}

#[repr(C)]
pub struct ModuleInfo {
    pub size: u32,
    pub abi_major: u32,
    pub abi_minor: u32,
    pub option_count: u32,
    pub layout: u64,
    pub name: *const c_char,
    pub version: *const c_char,
    pub summary: *const c_char,
    pub default_mount: *const c_char,
    pub options: *const OptionInfo,
    pub option_stride: u64,
    pub create: Option<unsafe extern "C" fn(*mut c_void) -> *mut c_void>,
    pub create_shared: Option<unsafe extern "C" fn(*mut c_void) -> *mut c_void>,
    pub create_filter: Option<unsafe extern "C" fn(*mut c_void) -> *mut c_void>,
    pub needs: u32,
    pub reserved: u32,
}
// Constant texts and functions.
unsafe impl Sync for ModuleInfo {}

pub const UNKNOWN_SIZE: u64 = u64::MAX;
pub const ABI_MAJOR: u32 = 1;
pub const ABI_MINOR: u32 = 2;
pub const LAYOUT_STAMP: u64 = 700019283023717765;

extern "C" {
    pub fn sluice_create_handler(host: *mut c_void) -> *mut c_void;
    pub fn sluice_create_filter(host: *mut c_void) -> *mut c_void;

    pub fn sluice_exchange_request(exchange: *const c_void) -> *const Request;
    pub fn sluice_client_address(exchange: *mut c_void) -> Bytes;
    pub fn sluice_status(exchange: *mut c_void, code: u32);
    pub fn sluice_add_field(exchange: *mut c_void, name: Bytes, value: Bytes) -> bool;
    pub fn sluice_send(exchange: *mut c_void, content: Bytes);
    pub fn sluice_fail(exchange: *mut c_void, code: u32);
    pub fn sluice_stream(exchange: *mut c_void, size: u64, functions: *const BodyTable, body: *mut c_void);
    pub fn sluice_pass(exchange: *mut c_void);
    pub fn sluice_is_explained(exchange: *const c_void) -> bool;
    pub fn sluice_explain(exchange: *mut c_void, decision: Bytes);
    pub fn sluice_defer(exchange: *mut c_void, functions: *const TaskTable, task: *mut c_void);
    pub fn sluice_receive(exchange: *mut c_void, functions: *const ReaderTable, reader: *mut c_void);
    pub fn sluice_exchange_ticket(exchange: *mut c_void) -> Ticket;
    pub fn sluice_hand_over(exchange: *mut c_void, target: Bytes);
    pub fn sluice_note(exchange: *mut c_void, name: Bytes, value: Bytes) -> bool;
    pub fn sluice_noted(exchange: *const c_void, name: Bytes) -> Bytes;

    pub fn sluice_head_status(head: *const c_void) -> u32;
    pub fn sluice_head_size(head: *const c_void) -> u64;
    pub fn sluice_head_field_count(head: *const c_void) -> u32;
    pub fn sluice_head_field_at(head: *const c_void, index: u32) -> Field;
    pub fn sluice_head_field(head: *const c_void, name: Bytes) -> Bytes;
    pub fn sluice_head_add(head: *mut c_void, name: Bytes, value: Bytes) -> bool;
    pub fn sluice_head_set(head: *mut c_void, name: Bytes, value: Bytes) -> bool;
    pub fn sluice_head_remove(head: *mut c_void, name: Bytes);
    pub fn sluice_head_set_status(head: *mut c_void, code: u32);
    pub fn sluice_head_transform(head: *mut c_void, size: u64, functions: *const TransformTable, transform: *mut c_void)
        -> bool;
    pub fn sluice_head_replace(head: *mut c_void, size: u64, functions: *const BodyTable, body: *mut c_void) -> bool;

    pub fn sluice_room(sink: *const c_void) -> u64;
    pub fn sluice_write(sink: *mut c_void, pieces: *const Bytes, count: u32) -> Moved;
    pub fn sluice_add_trailer(sink: *mut c_void, name: Bytes, value: Bytes) -> bool;

    pub fn sluice_option_text(host: *const c_void, name: *const c_char) -> Bytes;
    pub fn sluice_option_number(host: *const c_void, name: *const c_char) -> u64;
    pub fn sluice_reject(host: *mut c_void, why: *const c_char);
    pub fn sluice_log(host: *mut c_void, level: u32, message: *const c_char);
    pub fn sluice_offload(host: *mut c_void, functions: *const WorkTable, work: *mut c_void) -> bool;
    pub fn sluice_resume(host: *mut c_void, ticket: Ticket);
    pub fn sluice_counter(host: *mut c_void, name: *const c_char) -> u32;
    pub fn sluice_count(host: *mut c_void, counter: u32, by: u64);
    pub fn sluice_shared_number(host: *mut c_void, name: Bytes) -> u64;
    pub fn sluice_change_shared_number(host: *mut c_void, name: Bytes, from: u64, to: u64) -> u32;
    pub fn sluice_add_shared_number(host: *mut c_void, name: Bytes, by: u64) -> u64;
    pub fn sluice_claim(host: *mut c_void, name: Bytes, max: u32) -> bool;
    pub fn sluice_give_back(host: *mut c_void, name: Bytes);
}
