//! Answers that are written piece by piece, as the client takes them.

use crate::{raw, Exchange, Host};
use std::marker::PhantomData;
use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// How a [`Body::pump`] or a [`Transform::pass`](crate::Transform::pass) has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Everything is written.
    Done,
    /// Call again as soon as there is room.
    More,
    /// Call again after [`Waker::wake`].
    Parked,
    /// It cannot be completed: the connection is cut.
    Failed,
}

/// Where bytes are written to, during one call.
pub struct Sink<'a> {
    raw: *mut c_void,
    lives: PhantomData<&'a mut ()>,
}

impl Sink<'_> {
    /// # Safety
    /// It is the server's, and stays valid for as long as the result.
    pub(crate) unsafe fn from_raw(raw: *mut c_void) -> Self {
        Sink { raw, lives: PhantomData }
    }
    /// How many bytes may be written in this call. At 0, return [`Progress::More`].
    pub fn room(&self) -> u64 {
        unsafe { raw::sluice_room(self.raw) }
    }
    /// Writes from the front, and returns how many bytes were taken. Offer the others again, in a later call.
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        let piece = raw::Bytes::of(bytes);
        unsafe { raw::sluice_write(self.raw, &piece, 1) }.size as usize
    }
    /// Adds a line behind the content. False if it may not be sent, or the content takes none.
    pub fn trailer(&mut self, name: &str, value: &[u8]) -> bool {
        unsafe { raw::sluice_add_trailer(self.raw, raw::Bytes::of(name.as_bytes()), raw::Bytes::of(value)) }
    }
}

/// The content of an answer. It is dropped at its end, and when the client leaves.
pub trait Body: 'static {
    /// Writes what the sink takes. A panic cuts the answer off.
    fn pump(&mut self, sink: &mut Sink<'_>) -> Progress;
}

pub(crate) struct BodyOf<Type>(PhantomData<Type>);
impl<Type: Body> BodyOf<Type> {
    pub(crate) const TABLE: raw::BodyTable = raw::BodyTable { pump: Some(pump::<Type>), destroy: Some(destroy::<Type>) };
}

unsafe extern "C" fn pump<Type: Body>(body: *mut c_void, sink: *mut c_void) -> u32 {
    let body = &mut *body.cast::<Type>();
    let pumped = catch_unwind(AssertUnwindSafe(|| body.pump(&mut Sink::from_raw(sink))));
    pumped.unwrap_or(Progress::Failed) as u32
}

/// Of anything that the server was given in a box.
pub(crate) unsafe extern "C" fn destroy<Type>(boxed: *mut c_void) {
    let boxed = Box::from_raw(boxed.cast::<Type>());
    let _ = catch_unwind(AssertUnwindSafe(|| drop(boxed)));
}

/// Wakes a body that has parked. It may be kept longer than the exchange.
#[derive(Clone)]
pub struct Waker {
    host: Host,
    ticket: raw::Ticket,
}

impl Waker {
    /// Has the body pumped again, after the present call. Nothing happens if the exchange has ended.
    pub fn wake(&self) {
        unsafe { raw::sluice_resume(self.host.0, self.ticket) }
    }
}

impl Exchange<'_> {
    /// Answers with what the body writes: exactly `size` bytes, or any number without one.
    pub fn stream<Type: Body>(self, size: Option<u64>, body: Type) {
        let body = Box::into_raw(Box::new(body)).cast();
        unsafe {
            raw::sluice_stream(self.answered(), size.unwrap_or(raw::UNKNOWN_SIZE), &BodyOf::<Type>::TABLE, body)
        }
    }
    /// For a body that parks.
    pub fn waker(&mut self, host: &Host) -> Waker {
        Waker { host: host.clone(), ticket: unsafe { raw::sluice_exchange_ticket(self.raw) } }
    }
}
