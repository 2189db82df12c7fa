//! Answers that come later: when the content of the request has come, or a thread has done its work.

use crate::{raw, Exchange, Host};
use std::cell::RefCell;
use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;

type Then = Box<dyn FnOnce(Exchange<'_>)>;

/// What waits for an answer. The task owns one half, and what it waits for the other; either may end first.
#[derive(Default)]
pub(crate) struct Waiting {
    then: Option<Then>, // set when the answer can be made
}

pub(crate) type Shared = Rc<RefCell<Waiting>>;

static TASK: raw::TaskTable = raw::TaskTable { resumed: Some(task_resumed), destroy: Some(task_destroy) };

unsafe extern "C" fn task_resumed(task: *mut c_void, exchange: *mut c_void) {
    let waiting = (*task.cast::<Shared>()).clone();
    let then = waiting.borrow_mut().then.take();
    if let Some(then) = then {
        let _ = catch_unwind(AssertUnwindSafe(|| then(Exchange::from_raw(exchange, Some(waiting)))));
    }
}
unsafe extern "C" fn task_destroy(task: *mut c_void) {
    drop(Box::from_raw(task.cast::<Shared>()));
}

impl Exchange<'_> {
    // Defers it, unless it was deferred before.
    fn wait(mut self) -> (*mut c_void, Shared) {
        let before = self.waiting.take();
        let exchange = self.answered();
        let waiting = before.unwrap_or_else(|| {
            let waiting = Shared::default();
            unsafe { raw::sluice_defer(exchange, &TASK, Box::into_raw(Box::new(waiting.clone())).cast()) };
            waiting
        });
        (exchange, waiting)
    }
}

/// Takes the content, of at most `max` bytes.
struct Content {
    host: Host,
    ticket: raw::Ticket,
    waiting: Shared,
    bytes: Vec<u8>,
    max: usize,
    is_too_long: bool,
    then: Option<Box<dyn FnOnce(Exchange<'_>, Vec<u8>)>>,
}

impl Content {
    fn wake(&mut self, then: Then) {
        self.waiting.borrow_mut().then = Some(then);
        unsafe { raw::sluice_resume(self.host.0, self.ticket) }
    }
}

static READER: raw::ReaderTable =
    raw::ReaderTable { take: Some(content_take), end: Some(content_end), destroy: Some(content_destroy) };

unsafe extern "C" fn content_take(reader: *mut c_void, piece: raw::Bytes) -> u64 {
    let content = &mut *reader.cast::<Content>();
    if !content.is_too_long && piece.size > content.max - content.bytes.len() {
        content.is_too_long = true;
        content.bytes = Vec::new();
        content.wake(Box::new(|exchange| exchange.fail(413)));
    } else if !content.is_too_long {
        content.bytes.extend_from_slice(piece.get());
    }
    piece.size as u64
}
unsafe extern "C" fn content_end(reader: *mut c_void) {
    let content = &mut *reader.cast::<Content>();
    if let (false, Some(then)) = (content.is_too_long, content.then.take()) {
        let bytes = std::mem::take(&mut content.bytes);
        content.wake(Box::new(move |exchange| then(exchange, bytes)));
    }
}
unsafe extern "C" fn content_destroy(reader: *mut c_void) {
    drop(Box::from_raw(reader.cast::<Content>()));
}

/// A closure for a thread, and what comes of it. Everything but `work` and `result` is used on the loop only.
struct Job<Result> {
    host: Host,
    ticket: raw::Ticket,
    waiting: Shared,
    work: Option<Box<dyn FnOnce() -> Result + Send>>,
    result: Option<Result>,
    then: Option<Box<dyn FnOnce(Exchange<'_>, Result)>>,
}

struct JobTable<Result>(std::marker::PhantomData<Result>);
impl<Result: Send + 'static> JobTable<Result> {
    const TABLE: raw::WorkTable =
        raw::WorkTable { run: Some(job_run::<Result>), done: Some(job_done::<Result>), destroy: Some(job_destroy::<Result>) };
}

unsafe extern "C" fn job_run<Result>(job: *mut c_void) {
    let job = &mut *job.cast::<Job<Result>>();
    if let Some(work) = job.work.take() {
        job.result = catch_unwind(AssertUnwindSafe(work)).ok();
    }
}
unsafe extern "C" fn job_done<Result: 'static>(job: *mut c_void, ran: bool) {
    let job = &mut *job.cast::<Job<Result>>();
    let then: Then = match (job.result.take(), job.then.take()) {
        (Some(result), Some(then)) => Box::new(move |exchange| then(exchange, result)),
        _ => Box::new(move |exchange| exchange.fail(if ran { 500 } else { 503 })),
    };
    job.waiting.borrow_mut().then = Some(then);
    raw::sluice_resume(job.host.0, job.ticket);
}
unsafe extern "C" fn job_destroy<Result>(job: *mut c_void) {
    drop(Box::from_raw(job.cast::<Job<Result>>()));
}

impl<'a> Exchange<'a> {
    /// Receives the request's content, and answers then. More than `max` bytes are 413. If the client leaves before,
    /// `then` is dropped.
    pub fn body(self, host: &Host, max: usize, then: impl FnOnce(Exchange<'_>, Vec<u8>) + 'static) {
        let (exchange, waiting) = self.wait();
        let content = Content {
            host: host.clone(),
            ticket: unsafe { raw::sluice_exchange_ticket(exchange) },
            waiting,
            bytes: Vec::new(),
            max,
            is_too_long: false,
            then: Some(Box::new(then)),
        };
        unsafe { raw::sluice_receive(exchange, &READER, Box::into_raw(Box::new(content)).cast()) }
    }
    /// Runs `work` on a thread, where it may block, and answers with what it returns. 503 if there is no thread in
    /// time; 500 if it panics.
    pub fn offload<Result: Send + 'static>(
        self,
        host: &Host,
        work: impl FnOnce() -> Result + Send + 'static,
        then: impl FnOnce(Exchange<'_>, Result) + 'static,
    ) {
        let (exchange, waiting) = self.wait();
        let ticket = unsafe { raw::sluice_exchange_ticket(exchange) };
        let job = Box::into_raw(Box::new(Job {
            host: host.clone(),
            ticket,
            waiting: waiting.clone(),
            work: Some(Box::new(work)),
            result: None,
            then: Some(Box::new(then)),
        }));
        if !unsafe { raw::sluice_offload(host.0, &JobTable::<Result>::TABLE, job.cast()) } {
            drop(unsafe { Box::from_raw(job) });
            waiting.borrow_mut().then = Some(Box::new(|exchange| exchange.fail(503)));
            unsafe { raw::sluice_resume(host.0, ticket) }
        }
    }
}
