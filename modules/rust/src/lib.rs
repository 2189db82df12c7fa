//! Handlers and filters for the web server sluice, in Rust.
//!
//! A module is a crate of the type `cdylib` with one type that implements [`Handler`], and [`module!`] at its end, or
//! with one that implements [`Filter`], and [`filter!`]. `examples/greet.rs` and `examples/shout.rs` are such. Build it, and put `libNAME.so` as `NAME.so` into the folder of modules.
//!
//! A handler lives on one thread, the worker's loop: [`Host`] and [`Exchange`] are not `Send`. Nothing there may
//! block; [`Exchange::offload`] runs a closure on a thread. A panic is caught: the client gets 500, unless the
//! answer had begun. Rust's standard library has thread-locals with destructors, so a replaced module may stay in
//! the memory of its worker.
#![warn(missing_docs)]

mod filter;
mod later;
pub mod needs;
pub mod raw;
mod stream;

pub use filter::{Ending, Filter, Follows, Head, Outcome, Transform};
pub use stream::{Body, Progress, Sink, Waker};

use std::ffi::CString;
use std::marker::PhantomData;
use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// What answers the requests below one mount, in one worker.
pub trait Handler: Sized + 'static {
    /// Makes it. The error is a sentence for the person who configured the mount.
    fn create(host: Host) -> Result<Self, String>;
    /// Answers a request, at once or later. An exchange that is dropped without an answer gets 500.
    fn handle(&self, exchange: Exchange<'_>);
    /// No request will come any more; those under way go on.
    fn retire(&self) {}
}

/// The worker, as one handler sees it. It lives as long as the handler, which may keep it.
#[derive(Clone)]
pub struct Host(*mut c_void);

/// How urgent a line of the log is.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
}

/// A counter that appears in the metrics under the module's name.
#[derive(Clone, Copy)]
pub struct Counter(u32);

// Without what follows a NUL, which no text for C has.
fn c_text(text: &str) -> CString {
    CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default()
}

/// What [`Host::change_shared_number`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It has changed the number.
    Yes,
    /// The number is another one: look at it and try again.
    Differs,
    /// The name has no room yet: go on without.
    NoRoom,
}

impl Host {
    /// The value of an option, as text.
    pub fn option(&self, name: &str) -> String {
        let name = c_text(name);
        String::from_utf8_lossy(unsafe { raw::sluice_option_text(self.0, name.as_ptr()).get() }).into_owned()
    }
    /// The same as a number: bytes, milliseconds, 0 or 1.
    pub fn number(&self, name: &str) -> u64 {
        let name = c_text(name);
        unsafe { raw::sluice_option_number(self.0, name.as_ptr()) }
    }
    /// Writes a line of the log, under the module's name.
    pub fn log(&self, level: LogLevel, message: &str) {
        let message = c_text(message);
        unsafe { raw::sluice_log(self.0, level as u32, message.as_ptr()) }
    }
    /// The counter of this name.
    pub fn counter(&self, name: &str) -> Counter {
        let name = c_text(name);
        Counter(unsafe { raw::sluice_counter(self.0, name.as_ptr()) })
    }
    /// Counts.
    pub fn count(&self, counter: Counter, by: u64) {
        unsafe { raw::sluice_count(self.0, counter.0, by) }
    }
    /// A number that all workers share; 0 if it is not known.
    pub fn shared_number(&self, name: &[u8]) -> u64 {
        unsafe { raw::sluice_shared_number(self.0, raw::Bytes::of(name)) }
    }
    /// Makes it `to` if it is `from`.
    pub fn change_shared_number(&self, name: &[u8], from: u64, to: u64) -> Changed {
        match unsafe { raw::sluice_change_shared_number(self.0, raw::Bytes::of(name), from, to) } {
            0 => Changed::Yes,
            1 => Changed::Differs,
            _ => Changed::NoRoom,
        }
    }
    /// Adds to it, and returns the sum.
    pub fn add_shared_number(&self, name: &[u8], by: u64) -> u64 {
        unsafe { raw::sluice_add_shared_number(self.0, raw::Bytes::of(name), by) }
    }
    /// Claims one more of what has this name, unless all workers together have `max`.
    pub fn claim(&self, name: &[u8], max: u32) -> bool {
        unsafe { raw::sluice_claim(self.0, raw::Bytes::of(name), max) }
    }
    /// Gives back what this worker has claimed.
    pub fn give_back(&self, name: &[u8]) {
        unsafe { raw::sluice_give_back(self.0, raw::Bytes::of(name)) }
    }
}

/// What a request says. It lives as long as the call.
pub struct Request<'a>(&'a raw::Request);

impl<'a> Request<'a> {
    /// As sent, case-sensitive.
    pub fn method(&self) -> &'a [u8] {
        unsafe { self.0.method_name.get() }
    }
    /// Below the mount, decoded, without a slash at its beginning.
    pub fn path(&self) -> &'a [u8] {
        unsafe { self.0.path.get() }
    }
    /// The mount's prefix.
    pub fn mount(&self) -> &'a [u8] {
        unsafe { self.0.mount.get() }
    }
    /// Behind '?', not decoded.
    pub fn query(&self) -> &'a [u8] {
        unsafe { self.0.query.get() }
    }
    /// Host and port that the client has asked for.
    pub fn authority(&self) -> &'a [u8] {
        unsafe { self.0.authority.get() }
    }
    /// All fields: names as they were sent, and values.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let fields: &'a [raw::Field] = match self.0.field_count {
            0 => &[],
            count => unsafe { std::slice::from_raw_parts(self.0.fields, count as usize) },
        };
        fields.iter().map(|field| unsafe { (field.name.get(), field.value.get()) })
    }
    /// The value of the first field of that name, in any case of letters.
    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.fields().find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }
}

/// One request and its answer. What answers takes it.
pub struct Exchange<'a> {
    raw: *mut c_void,
    is_answered: bool,
    passes: bool,                   // of a filter: without an answer, the request goes on
    waiting: Option<later::Shared>, // of a request that was deferred
    lives: PhantomData<&'a mut ()>,
}

impl<'a> Exchange<'a> {
    /// # Safety
    /// It is the server's, and stays valid for as long as `'a`.
    unsafe fn from_raw(raw: *mut c_void, waiting: Option<later::Shared>) -> Self {
        Exchange { raw, is_answered: false, passes: false, waiting, lives: PhantomData }
    }
    /// # Safety
    /// As for `from_raw`.
    unsafe fn of_filter(raw: *mut c_void) -> Self {
        Exchange { raw, is_answered: false, passes: true, waiting: None, lives: PhantomData }
    }
    /// Of an exchange that others answer.
    /// # Safety
    /// As for `from_raw`.
    unsafe fn to_look_at(raw: *mut c_void) -> Self {
        Exchange { raw, is_answered: true, passes: false, waiting: None, lives: PhantomData }
    }
    fn answered(mut self) -> *mut c_void {
        self.is_answered = true;
        self.raw
    }

    /// What the request says.
    pub fn request(&self) -> Request<'_> {
        Request(unsafe { &*raw::sluice_exchange_request(self.raw) })
    }
    /// "192.0.2.1:49152", "[2001:db8::1]:49152" or "unix:".
    pub fn client_address(&mut self) -> String {
        String::from_utf8_lossy(unsafe { raw::sluice_client_address(self.raw).get() }).into_owned()
    }
    /// 200 unless set; 200 to 599.
    pub fn status(&mut self, code: u32) {
        unsafe { raw::sluice_status(self.raw, code) }
    }
    /// Adds a field; false if it may not be sent.
    pub fn field(&mut self, name: &str, value: &[u8]) -> bool {
        unsafe { raw::sluice_add_field(self.raw, raw::Bytes::of(name.as_bytes()), raw::Bytes::of(value)) }
    }
    /// Keeps a value for whoever sees this request later.
    pub fn note(&mut self, name: &str, value: &[u8]) -> bool {
        unsafe { raw::sluice_note(self.raw, raw::Bytes::of(name.as_bytes()), raw::Bytes::of(value)) }
    }
    /// The value that was noted last; empty without one.
    pub fn noted(&self, name: &str) -> Vec<u8> {
        unsafe { raw::sluice_noted(self.raw, raw::Bytes::of(name.as_bytes())).get() }.to_vec()
    }
    /// Answers with these bytes, which are copied.
    pub fn send(self, content: &[u8]) {
        unsafe { raw::sluice_send(self.answered(), raw::Bytes::of(content)) }
    }
    /// Answers with a status of 300 to 599 and the server's own page.
    pub fn fail(self, code: u32) {
        unsafe { raw::sluice_fail(self.answered(), code) }
    }
    /// Of a filter: the request goes on to whoever is behind.
    pub fn pass(self) {
        let is_deferred = self.waiting.is_some();
        let exchange = self.answered();
        if is_deferred {
            unsafe { raw::sluice_pass(exchange) }
        }
    }
    /// Tells whoever wants to know (`sluice explain`) why the request is answered as it is.
    pub fn explain(&mut self, decision: impl FnOnce() -> String) {
        if unsafe { raw::sluice_is_explained(self.raw) } {
            unsafe { raw::sluice_explain(self.raw, raw::Bytes::of(decision().as_bytes())) }
        }
    }
    /// Whoever answers at `target` answers this request.
    pub fn hand_over(self, target: &str) {
        unsafe { raw::sluice_hand_over(self.answered(), raw::Bytes::of(target.as_bytes())) }
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if !self.is_answered && (!self.passes || std::thread::panicking()) {
            unsafe { raw::sluice_fail(self.raw, 500) }
        }
    }
}

/// The functions that [`module!`] puts into the module's table.
#[doc(hidden)]
pub mod entry {
    use super::*;

    pub unsafe extern "C" fn create<Type: Handler>(host: *mut c_void) -> *mut c_void {
        create_with(host, Type::create)
    }
    pub(crate) unsafe fn create_with<Type>(
        host: *mut c_void,
        create: fn(Host) -> Result<Type, String>,
    ) -> *mut c_void {
        match catch_unwind(|| create(Host(host))) {
            Ok(Ok(made)) => Box::into_raw(Box::new(made)).cast(),
            Ok(Err(why)) => refuse(host, &why),
            Err(_) => refuse(host, "it panicked while being created"),
        }
    }
    unsafe fn refuse(host: *mut c_void, why: &str) -> *mut c_void {
        raw::sluice_reject(host, c_text(why).as_ptr());
        std::ptr::null_mut()
    }
    pub unsafe extern "C" fn handle<Type: Handler>(handler: *mut c_void, exchange: *mut c_void) {
        let handler = &*handler.cast::<Type>();
        // A panic drops the exchange, which answers 500.
        let _ = catch_unwind(AssertUnwindSafe(|| handler.handle(Exchange::from_raw(exchange, None))));
    }
    pub unsafe extern "C" fn retire<Type: Handler>(handler: *mut c_void) {
        let handler = &*handler.cast::<Type>();
        let _ = catch_unwind(AssertUnwindSafe(|| handler.retire()));
    }
    pub unsafe extern "C" fn destroy<Type: Handler>(handler: *mut c_void) {
        let handler = Box::from_raw(handler.cast::<Type>());
        let _ = catch_unwind(AssertUnwindSafe(|| drop(handler)));
    }
}

#[doc(hidden)]
pub use filter::entry as filter_entry;

/// Makes a type that implements [`Handler`] into a module. Each option has a name, a default and a help text. `needs` is
/// of [`needs`].
#[macro_export]
macro_rules! module {
    ($type:ty, name: $name:literal, version: $version:literal, summary: $summary:literal, mount: $mount:literal
     $(, needs: $needs:expr)? $(, options: [$($options:tt)*])? $(,)?) => {
        static SLUICE_HANDLER: $crate::raw::HandlerTable = $crate::raw::HandlerTable {
            create: Some($crate::entry::create::<$type>),
            handle: Some($crate::entry::handle::<$type>),
            retire: Some($crate::entry::retire::<$type>),
            destroy: Some($crate::entry::destroy::<$type>),
            ended: None,
            leaving: None,
        };
        #[no_mangle]
        #[allow(non_upper_case_globals)]
        pub static sluice_the_handler: &$crate::raw::HandlerTable = &SLUICE_HANDLER;
        #[no_mangle]
        #[allow(non_upper_case_globals)]
        pub static sluice_the_filter: Option<&u8> = None;
        $crate::module_info!($name, $version, $summary, concat!($mount, "\0").as_ptr().cast(),
            Some($crate::raw::sluice_create_handler), None, [$($needs)?], [$($($options)*)?]);
    };
}

/// Makes a type that implements [`Filter`] into a module, as [`module!`] does it for a handler. A filter has no mount.
#[macro_export]
macro_rules! filter {
    ($type:ty, name: $name:literal, version: $version:literal, summary: $summary:literal
     $(, needs: $needs:expr)? $(, options: [$($options:tt)*])? $(,)?) => {
        static SLUICE_FILTER: $crate::raw::FilterTable = $crate::raw::FilterTable {
            create: Some($crate::filter_entry::create::<$type>),
            request: Some($crate::filter_entry::request::<$type>),
            answer: Some($crate::filter_entry::answer::<$type>),
            ended: Some($crate::filter_entry::ended::<$type>),
            retire: Some($crate::filter_entry::retire::<$type>),
            destroy: Some($crate::filter_entry::destroy::<$type>),
        };
        #[no_mangle]
        #[allow(non_upper_case_globals)]
        pub static sluice_the_handler: Option<&u8> = None;
        #[no_mangle]
        #[allow(non_upper_case_globals)]
        pub static sluice_the_filter: &$crate::raw::FilterTable = &SLUICE_FILTER;
        $crate::module_info!($name, $version, $summary, std::ptr::null(),
            None, Some($crate::raw::sluice_create_filter), [$($needs)?], [$($($options)*)?]);
    };
}

/// What [`module!`] and [`filter!`] have in common.
#[doc(hidden)]
#[macro_export]
macro_rules! module_info {
    ($name:literal, $version:literal, $summary:literal, $mount:expr, $create:expr, $create_filter:expr,
     [$($needs:expr)?], [$(($option:literal, $fallback:literal, $help:literal)),* $(,)?]) => {
        static SLUICE_OPTIONS: &[$crate::raw::OptionInfo] = &[$($crate::raw::OptionInfo {
            name: concat!($option, "\0").as_ptr().cast(),
            kind: 0,
            reserved: 0,
            fallback: concat!($fallback, "\0").as_ptr().cast(),
            help: concat!($help, "\0").as_ptr().cast(),
            choices: std::ptr::null(),
        }),*];
        // A module exports sluice_module alone.
        std::arch::global_asm!(".hidden sluice_the_handler", ".hidden sluice_the_filter");
        #[no_mangle]
        #[allow(non_upper_case_globals)]
        pub static sluice_module: $crate::raw::ModuleInfo = $crate::raw::ModuleInfo {
            size: std::mem::size_of::<$crate::raw::ModuleInfo>() as u32,
            abi_major: $crate::raw::ABI_MAJOR,
            abi_minor: $crate::raw::ABI_MINOR,
            option_count: SLUICE_OPTIONS.len() as u32,
            layout: $crate::raw::LAYOUT_STAMP,
            name: concat!($name, "\0").as_ptr().cast(),
            version: concat!($version, "\0").as_ptr().cast(),
            summary: concat!($summary, "\0").as_ptr().cast(),
            default_mount: $mount,
            options: SLUICE_OPTIONS.as_ptr(),
            option_stride: std::mem::size_of::<$crate::raw::OptionInfo>() as u64,
            create: $create,
            create_shared: None,
            create_filter: $create_filter,
            needs: 0 $(| $needs)?,
            reserved: 0,
        };
    };
}

#[cfg(test)]
mod tests;
