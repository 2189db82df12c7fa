//! Filters: they stand before and behind all that answers below a prefix.

use crate::{raw, stream, Body, Exchange, Host, Progress, Sink};
use std::marker::PhantomData;
use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Sees the requests below one prefix before whoever answers, and the answers after that, in one worker.
pub trait Filter: Sized + 'static {
    /// Makes it. The error is a sentence for the person who configured it.
    fn create(host: Host) -> Result<Self, String>;
    /// Answers in the place of whoever is behind, or drops the exchange, and the request goes on. After
    /// [`Exchange::offload`] it goes on by [`Exchange::pass`]. A panic is answered with 500.
    fn request(&self, exchange: Exchange<'_>) {
        drop(exchange);
    }
    /// Somebody has answered, and nothing is sent yet. Not called for an answer of the filter's own.
    fn answer(&self, exchange: &Exchange<'_>, head: &mut Head<'_>) {
        let _ = (exchange, head);
    }
    /// It is over: once for each request.
    fn ended(&self, exchange: &Exchange<'_>, outcome: &Outcome) {
        let _ = (exchange, outcome);
    }
    /// No request will come any more; those under way go on.
    fn retire(&self) {}
}

/// How an exchange has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The whole answer was given to the client's connection.
    Complete,
    /// It broke off by a fault of its module, or of the request.
    Cut,
    /// It broke off because a time-out has passed.
    Late,
    /// It broke off because the client did.
    ClientLeft,
    /// An answer without a known end was ended, because the server stops.
    Closed,
    /// One of a newer server.
    Other,
}

/// What became of an exchange.
pub struct Outcome {
    /// Of the answer; 0 without one.
    pub status: u32,
    /// Bytes of content.
    pub sent: u64,
    /// Since the first filter was asked.
    pub took_ns: u64,
    /// How it has ended.
    pub ending: Ending,
}

/// The head of an answer before it is sent.
pub struct Head<'a> {
    raw: *mut c_void,
    lives: PhantomData<&'a mut ()>,
}

impl Head<'_> {
    /// The answer's status.
    pub fn status(&self) -> u32 {
        unsafe { raw::sluice_head_status(self.raw) }
    }
    /// The content's size; nothing if it was not declared.
    pub fn size(&self) -> Option<u64> {
        Some(unsafe { raw::sluice_head_size(self.raw) }).filter(|size| *size != raw::UNKNOWN_SIZE)
    }
    /// The value of the first field of that name; empty without one.
    pub fn field(&self, name: &str) -> &[u8] {
        unsafe { raw::sluice_head_field(self.raw, raw::Bytes::of(name.as_bytes())).get() }
    }
    /// Adds a field; false if it may not be sent.
    pub fn add(&mut self, name: &str, value: &[u8]) -> bool {
        unsafe { raw::sluice_head_add(self.raw, raw::Bytes::of(name.as_bytes()), raw::Bytes::of(value)) }
    }
    /// Takes the place of all fields with this name.
    pub fn set(&mut self, name: &str, value: &[u8]) -> bool {
        unsafe { raw::sluice_head_set(self.raw, raw::Bytes::of(name.as_bytes()), raw::Bytes::of(value)) }
    }
    /// Removes all fields with this name.
    pub fn remove(&mut self, name: &str) {
        unsafe { raw::sluice_head_remove(self.raw, raw::Bytes::of(name.as_bytes())) }
    }
    fn remove_all(&mut self) {
        while unsafe { raw::sluice_head_field_count(self.raw) } > 0 {
            let name = unsafe { raw::sluice_head_field_at(self.raw, 0).name.get() }.to_vec();
            unsafe { raw::sluice_head_remove(self.raw, raw::Bytes::of(&name)) }
        }
    }
    /// 200 to 599.
    pub fn set_status(&mut self, code: u32) {
        unsafe { raw::sluice_head_set_status(self.raw, code) }
    }
    /// Puts a transform behind the content. What comes out has `size` bytes, or any number without one. False, and it
    /// is dropped, if the answer has no content that could be changed.
    pub fn transform<Type: Transform>(&mut self, size: Option<u64>, transform: Type) -> bool {
        let transform = Box::into_raw(Box::new(transform)).cast();
        let size = size.unwrap_or(raw::UNKNOWN_SIZE);
        unsafe { raw::sluice_head_transform(self.raw, size, &TransformOf::<Type>::TABLE, transform) }
    }
    /// Drops the content, unread: the body gives `size` bytes in its place, or any number without one. False, and it is
    /// dropped, where [`Head::transform`] gives false, too.
    pub fn replace<Type: Body>(&mut self, size: Option<u64>, body: Type) -> bool {
        let body = Box::into_raw(Box::new(body)).cast();
        let size = size.unwrap_or(raw::UNKNOWN_SIZE);
        unsafe { raw::sluice_head_replace(self.raw, size, &stream::BodyOf::<Type>::TABLE, body) }
    }
}

/// In place of an answer whose filter has panicked.
struct Nothing;
impl Body for Nothing {
    fn pump(&mut self, _: &mut Sink<'_>) -> Progress {
        Progress::Done
    }
}

/// What follows the input of a [`Transform::pass`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// More input, at once.
    Input,
    /// Nothing for a while: write what was held back.
    Silence,
    /// Nothing: this is the end.
    Nothing,
}

/// Changes the content of one answer on its way.
pub trait Transform: 'static {
    /// Takes bytes from the front of `input`, writes what they make, and returns how many it took. It is called again
    /// with those that it did not take. A panic cuts the answer off.
    fn pass(&mut self, input: &[u8], follows: Follows, sink: &mut Sink<'_>) -> (usize, Progress);
}

struct TransformOf<Type>(PhantomData<Type>);
impl<Type: Transform> TransformOf<Type> {
    const TABLE: raw::TransformTable =
        raw::TransformTable { pass: Some(pass::<Type>), destroy: Some(stream::destroy::<Type>) };
}

unsafe extern "C" fn pass<Type: Transform>(
    transform: *mut c_void,
    input: raw::Bytes,
    follows: u32,
    sink: *mut c_void,
) -> raw::Passed {
    let transform = &mut *transform.cast::<Type>();
    let follows = match follows {
        1 => Follows::Silence,
        2 => Follows::Nothing,
        _ => Follows::Input,
    };
    let passed = catch_unwind(AssertUnwindSafe(|| transform.pass(input.get(), follows, &mut Sink::from_raw(sink))));
    let (size, progress) = passed.unwrap_or((0, Progress::Failed));
    raw::Passed { size: size as u64, progress: progress as u32, reserved: 0 }
}

/// The functions that [`filter!`](crate::filter!) puts into the module's table.
#[doc(hidden)]
pub mod entry {
    use super::*;

    pub unsafe extern "C" fn create<Type: Filter>(host: *mut c_void) -> *mut c_void {
        crate::entry::create_with(host, Type::create)
    }
    pub unsafe extern "C" fn request<Type: Filter>(filter: *mut c_void, exchange: *mut c_void) {
        let filter = &*filter.cast::<Type>();
        let _ = catch_unwind(AssertUnwindSafe(|| filter.request(Exchange::of_filter(exchange))));
    }
    pub unsafe extern "C" fn answer<Type: Filter>(filter: *mut c_void, exchange: *mut c_void, head: *mut c_void) {
        let filter = &*filter.cast::<Type>();
        let mut head = Head { raw: head, lives: PhantomData };
        let seen = catch_unwind(AssertUnwindSafe(|| filter.answer(&Exchange::to_look_at(exchange), &mut head)));
        if seen.is_err() {
            // What it would have taken away must not leave.
            head.remove_all();
            head.set_status(500);
            head.replace(Some(0), Nothing);
        }
    }
    pub unsafe extern "C" fn ended<Type: Filter>(
        filter: *mut c_void,
        exchange: *mut c_void,
        outcome: *const raw::Outcome,
    ) {
        let filter = &*filter.cast::<Type>();
        let outcome = &*outcome;
        let ending = match outcome.ending {
            0 => Ending::Complete,
            1 => Ending::Cut,
            2 => Ending::Late,
            3 => Ending::ClientLeft,
            4 => Ending::Closed,
            _ => Ending::Other,
        };
        let outcome = Outcome { status: outcome.status, sent: outcome.sent, took_ns: outcome.took_ns, ending };
        let _ = catch_unwind(AssertUnwindSafe(|| filter.ended(&Exchange::to_look_at(exchange), &outcome)));
    }
    pub unsafe extern "C" fn retire<Type: Filter>(filter: *mut c_void) {
        let filter = &*filter.cast::<Type>();
        let _ = catch_unwind(AssertUnwindSafe(|| filter.retire()));
    }
    pub unsafe extern "C" fn destroy<Type>(filter: *mut c_void) {
        stream::destroy::<Type>(filter)
    }
}
