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
    let authorization = if app.config().auth.jwt_key.is_none() {
        writeln!(
            out,
            "Single-user mode: whoever uses this machine is the one user. Try it:\n"
        )?;
        ""
    } else {
        writeln!(
            out,
            "Requests need a bearer token. With one in $TOKEN, try it:\n"
        )?;
        " -H \"authorization: Bearer $TOKEN\""
    };
    writeln!(
        out,
        "  curl -s {url}/v1/tasks{authorization} -H 'content-type: application/json' -d '{{\"title\":\"Pay rent\"}}'"
    )?;
    writeln!(out, "  curl -s {url}/v1/tasks{authorization}\n")?;
    writeln!(out, "Press Ctrl-C to stop.")?;
    out.flush()
}

/// Says in one line why the program ends.
pub fn complain(error: &anyhow::Error) {
    // There is nobody left to tell when even this fails.
    let _ = writeln!(io::stderr(), "taskledger: {}", sentence(error));
}

/// The causes, each once: many say in their own text what comes next.
fn sentence(error: &anyhow::Error) -> String {
    let mut sentence = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if sentence.is_empty() {
            sentence = cause;
        } else if !sentence.contains(&cause) {
            sentence = format!("{sentence}: {cause}");
        }
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let error = anyhow::anyhow!("the file is full").context("writing failed: the file is full");
        let error = error.context("it does not start");

        assert_eq!(
            sentence(&error),
            "it does not start: writing failed: the file is full"
        );
    }
}
