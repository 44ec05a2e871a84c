//! What a person sees at the start, and when something is wrong.

use std::io::{self, Write};

use crate::app::App;

/// Says where the suite is and what to try.
pub fn print(app: &App) -> io::Result<()> {
    let url = format!("http://{}", app.address());
    let mut out = io::stdout().lock();
    writeln!(out, "Taskledger is running.\n")?;
    writeln!(out, "  API    {url}/v1")?;
    writeln!(out, "  Docs   {url}/docs")?;
    writeln!(out, "  Data   {}\n", app.data_dir().display())?;
    if app.config().auth.jwt_key.is_none() {
        writeln!(
            out,
            "Single-user mode: whoever uses this machine is the one user. Try it:\n"
        )?;
    } else {
        writeln!(
            out,
            "Requests need a bearer token (Authorization: Bearer …). Try it:\n"
        )?;
    }
    writeln!(
        out,
        "  curl -s {url}/v1/tasks -H 'content-type: application/json' -d '{{\"title\":\"Pay rent\"}}'"
    )?;
    writeln!(out, "  curl -s {url}/v1/tasks\n")?;
    writeln!(out, "Press Ctrl-C to stop.")?;
    out.flush()
}

/// Says in one line why the program ends.
pub fn complain(error: &anyhow::Error) {
    // There is nobody left to tell when even this fails.
    let _ = writeln!(io::stderr(), "taskledger: {error:#}");
}
