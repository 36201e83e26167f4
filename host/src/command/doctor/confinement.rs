//! What workers can't do on this kernel.

use nas_core::executor::{Attempt, Confinement};

use super::Finding;

/// Has a process that is confined as workers are try what it must not.
pub(super) fn look() -> Vec<(&'static str, Finding)> {
    let confinement = match Confinement::try_out() {
        Ok(confinement) => confinement,
        Err(error) => {
            let advice = "no worker can be started like this; a container may forbid it";
            let finding = Finding::Bad(format!("can't be tried: {error}"), advice.to_owned());
            return vec![("confinement", finding)];
        }
    };
    let mut findings =
        vec![("Landlock", landlock(&confinement)), ("seccomp", seccomp(&confinement))];
    findings.extend(Attempt::ALL.map(|attempt| {
        let (what, by, advice) = describe(attempt);
        let finding = match confinement.succeeded.contains(&attempt) {
            false => Finding::Good(format!("refused ({by})")),
            true => Finding::Poor("a worker can".to_owned(), advice.to_owned()),
        };
        (what, finding)
    }));
    findings
}

fn landlock(confinement: &Confinement) -> Finding {
    match confinement.landlock {
        0 => Finding::Poor(
            "this kernel has none, or it is not switched on".to_owned(),
            "use Linux 5.13 or later, with `landlock` in its parameter `lsm=`".to_owned(),
        ),
        version @ 1..6 => Finding::Poor(
            format!("version {version} of its interface; of 6, what this one knows is used"),
            "use Linux 6.12 or later".to_owned(),
        ),
        version => Finding::Good(format!("version {version} of its interface")),
    }
}

fn seccomp(confinement: &Confinement) -> Finding {
    match confinement.seccomp {
        true => Finding::Good("this kernel has it".to_owned()),
        false => Finding::Poor(
            "this kernel has none".to_owned(),
            "use a kernel with CONFIG_SECCOMP_FILTER".to_owned(),
        ),
    }
}

/// What is tried, what refuses it, and what is missing where nothing does.
fn describe(attempt: Attempt) -> (&'static str, &'static str, &'static str) {
    const LANDLOCK: &str = "it takes Landlock";
    const SECCOMP: &str = "it takes seccomp";
    match attempt {
        Attempt::ReadElsewhere => ("read elsewhere", "Landlock", LANDLOCK),
        Attempt::WriteElsewhere => ("write elsewhere", "Landlock", LANDLOCK),
        Attempt::OpenSocket => ("open a socket", "seccomp", SECCOMP),
        Attempt::Fork => (
            "start a process",
            "seccomp",
            "it takes seccomp; a guard process still ends what a worker starts",
        ),
        Attempt::LeaveGroup => ("leave its group", "seccomp", SECCOMP),
        Attempt::GainPrivileges => ("gain rights", "no_new_privs", "use Linux 3.5 or later"),
        Attempt::Outlive => (
            "outlive `nas`",
            "parent-death signal, seccomp",
            "it takes seccomp; a guard process still ends workers",
        ),
        Attempt::RaiseLimits => ("raise its limits", "resource limits, seccomp", SECCOMP),
    }
}
