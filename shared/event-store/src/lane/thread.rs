//! A thread with a runtime of its own.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tokio::sync::oneshot;

/// Runs `work` on a new thread, which it has to itself. What is returned completes when it ends, and
/// panics when it does. Fails when the system gives no thread.
pub(super) fn run<F: Future<Output = ()>>(
    name: &str,
    work: impl FnOnce() -> F + Send + 'static,
) -> io::Result<impl Future<Output = ()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (ended, end) = oneshot::channel();
    let body = move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(work())));
        // Nobody waits when the process is ending anyway.
        let _ = ended.send(outcome);
    };
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(body)?;
    Ok(async move {
        if let Ok(Err(panic)) = end.await {
            resume_unwind(panic);
        }
    })
}
