#!/usr/bin/env python3
"""Makes libtorch available to the build, and points a symlink at it.

    python3 nas-core/torch/libtorch.py [--verify] LINK

`LINK` (the Makefile passes `.libtorch`) becomes a symlink to a folder with `lib/` and `include/`;
`.cargo/config.toml` hands that path to torch-sys as `LIBTORCH`. The folder is, in this order:

1. `LIBTORCH_USE_PYTORCH` set: the `torch` package that the user's Python imports.
2. `LIBTORCH` set: that folder.
3. Neither: a CPU-only libtorch in `${XDG_CACHE_HOME:-~/.cache}/nas/`, downloaded with pip on the
   first run (0.54 GB) and shared by every checkout of this user (0.48 GB on disk).

What the user has set is checked and never replaced. The order is torch-sys's own.

How the download stays trustworthy: the wheels are pinned by sha256 below; they are unpacked into
a folder beside the final one, which is renamed into place when complete; a manifest of every
file's size and sha256 is written last. Later runs compare presence and sizes (milliseconds);
`--verify` hashes everything. A folder that does not agree is built again. A file lock lets several
runs happen at once. Standard library only, Python 3.8 or later.

What this is not: an installer for CUDA. On a machine with a GPU install PyTorch itself
(`pip install torch==2.13.0`) and set `LIBTORCH_USE_PYTORCH=1`.
"""

import errno
import json
import os
import shutil
import signal
import sys
import tempfile

# The version that tch 0.26 / torch-sys 0.26 insist on.
VERSION = "2.13.0"

# What is downloaded, and which files of it are kept: (folder in the wheel, names or None for
# all, folder in ours). The registry's Linux wheel of torch is the CUDA 13 build, so its
# libtorch_cpu.so needs libcudart and libcupti even without a GPU; the two other wheels have
# them. libtorch_cuda.so and its kin are left out: torch-sys links them as soon as they are
# there, and they need gigabytes of further libraries. The headers do not depend on the version of
# Python, so one wheel serves all.
WHEELS = [
    {
        "requirement": "torch==" + VERSION,
        "tags": ("cp", "3.12", "cp312", "manylinux_2_28_x86_64"),
        "sha256": "796633c4cdf0fe2cdced72d8f88f22e73dbcfce83132763162f6d4bff13b820b",
        "keep": [
            ("torch/include/", None, "include/"),
            ("torch/lib/", ["libc10.so", "libgomp.so.1", "libtorch.so", "libtorch_cpu.so"], "lib/"),
        ],
    },
    {
        "requirement": "nvidia-cuda-runtime==13.0.96",
        "tags": ("py", "3.12", "none", "manylinux_2_17_x86_64"),
        "sha256": "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
        "keep": [("nvidia/cu13/lib/", ["libcudart.so.13"], "lib/")],
    },
    {
        "requirement": "nvidia-cuda-cupti==13.0.85",
        "tags": ("py", "3.12", "none", "manylinux_2_25_x86_64"),
        "sha256": "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
        "keep": [("nvidia/cu13/lib/", ["libcupti.so.13"], "lib/")],
    },
]

# The largest wheel beside what is unpacked from it, with a margin.
NEEDED_BYTES = 1_200_000_000

MANIFEST = "manifest.json"
MANIFEST_FORMAT = 1

OWN_LIBTORCH = (
    "set LIBTORCH to the folder of an unpacked libtorch %s, or LIBTORCH_USE_PYTORCH=1 to use the "
    "PyTorch %s of your Python" % (VERSION, VERSION)
)


class SetupError(Exception):
    """Something that the user has to mend; the text says how, in one line."""


def main(arguments):
    verify = "--verify" in arguments
    rest = [a for a in arguments if a != "--verify"]
    if "-h" in rest or "--help" in rest:
        print(__doc__.strip())
        return 0
    if len(rest) != 1 or rest[0].startswith("-"):
        say("usage: libtorch.py [--verify] LINK")
        return 2
    link = os.path.abspath(rest[0])

    # Termination unwinds like Ctrl-C does, so that the temporary folder is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        point(link, find(link, verify))
    except SetupError as error:
        say("error: %s" % error)
        return 1
    except OSError as error:
        say("error: %s" % explain(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted; nothing was left half done")
        return 130
    return 0


def find(link, verify):
    """Returns the folder that the build is to use."""
    if "LIBTORCH_USE_PYTORCH" in os.environ:  # Any value counts, for torch-sys too.
        return from_python()
    chosen = os.environ.get("LIBTORCH")
    # Cargo gives LIBTORCH the link itself; from there that is no choice of the user's.
    if chosen is not None and os.path.abspath(chosen or os.sep) != link:
        return from_user(chosen)
    return from_cache(verify)


# ---------------------------------------------------------------------------------------------
# What the user has set


def from_user(folder):
    """Checks the folder in `LIBTORCH`."""
    if not folder:
        raise SetupError("LIBTORCH is set but empty: unset it, or name a folder with libtorch %s" % VERSION)
    if not os.path.isabs(folder):
        raise SetupError("LIBTORCH=%s must be an absolute path (build scripts run in other folders)" % folder)
    check_layout(folder, "LIBTORCH=%s" % folder)
    try:
        with open(os.path.join(folder, "build-version"), encoding="utf-8") as file:
            check_version(file.read(), "LIBTORCH=%s" % folder)
    except FileNotFoundError:
        pass  # torch-sys takes such a folder at its word as well.
    return os.path.realpath(folder)


def from_python():
    """Asks the Python that torch-sys would ask for its PyTorch."""
    import subprocess

    python = "python" if "VIRTUAL_ENV" in os.environ else "python3"
    what = "LIBTORCH_USE_PYTORCH is set, but"
    code = "import os, torch; print(torch.__version__); print(os.path.dirname(torch.__file__))"
    try:
        done = subprocess.run(
            [python, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True
        )
    except OSError as error:
        raise SetupError("%s `%s` cannot be run: %s" % (what, python, error.strerror)) from None
    if done.returncode != 0:
        raise SetupError(
            "%s `%s -c 'import torch'` fails (%s): pip install torch==%s, or unset it"
            % (what, python, last_line(done.stderr), VERSION)
        )
    version, folder = done.stdout.splitlines()[-2:]
    check_version(version, "the PyTorch of `%s`" % python)
    check_layout(folder, "the PyTorch of `%s` in %s" % (python, folder))
    return os.path.realpath(folder)


def check_layout(folder, what):
    """What torch-sys needs to find below the folder."""
    library = "lib/libtorch_cpu.dylib" if sys.platform == "darwin" else "lib/libtorch_cpu.so"
    for path, is_there in (("lib", os.path.isdir), ("include", os.path.isdir), (library, os.path.isfile)):
        if not is_there(os.path.join(folder, path)):
            raise SetupError(
                "%s has no %s: it must be an unpacked libtorch %s (or unset it)" % (what, path, VERSION)
            )


def check_version(text, what):
    """torch-sys refuses any other version, unless told to look away."""
    version = text.strip().split("+")[0]
    if version != VERSION and "LIBTORCH_BYPASS_VERSION_CHECK" not in os.environ:
        raise SetupError("%s is version %s; this build needs %s" % (what, version, VERSION))


# ---------------------------------------------------------------------------------------------
# Our own copy


def from_cache(verify):
    """Returns the shared CPU-only libtorch, built or mended first if need be."""
    check_platform()
    parent = os.path.join(cache_folder(), "nas")
    name = "libtorch-%s-cpu" % VERSION
    folder = os.path.join(parent, name)
    os.makedirs(parent, exist_ok=True)
    with Lock(os.path.join(parent, name + ".lock")):
        fault = fault_of(folder, verify)
        if fault is None:
            if verify:
                say("%s: every file has its sha256" % folder)
            return folder
        if os.path.lexists(folder):
            say("%s is damaged (%s); building it again" % (folder, fault))
        build(folder, parent, name)
    return folder


def check_platform():
    """The pinned wheels are for one platform; on others the user has to say which libtorch."""
    system, machine = os.uname().sysname, os.uname().machine
    if (system, machine) != ("Linux", "x86_64"):
        raise SetupError("no libtorch is pinned for %s %s: %s" % (system, machine, OWN_LIBTORCH))
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        libc = ""
    numbers = libc.replace("glibc ", "").split(".")
    if not numbers[0].isdigit() or [int(n) for n in numbers[:2]] < [2, 28]:
        raise SetupError(
            "the pinned libtorch needs glibc 2.28 or later, not %s: %s"
            % (libc or "another libc", OWN_LIBTORCH)
        )


def cache_folder():
    """`XDG_CACHE_HOME`, which by its specification counts only when absolute, or `~/.cache`."""
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(chosen):
        return chosen
    home = os.path.expanduser("~")
    if not os.path.isabs(home):
        raise SetupError("neither HOME nor XDG_CACHE_HOME names a folder: set one of them")
    return os.path.join(home, ".cache")


class Lock:
    """One run at a time below the cache folder; the kernel frees the lock when a run dies."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        import fcntl

        self.file = open(self.path, "a")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another run that is preparing libtorch")
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self.file.close()


def fault_of(folder, verify):
    """Says what is wrong with the folder, or None when it agrees with its manifest."""
    try:
        with open(os.path.join(folder, MANIFEST), encoding="utf-8") as file:
            manifest = json.load(file)
        if manifest["format"] != MANIFEST_FORMAT or manifest["wheels"] != pins():
            return "it was made from other wheels"
        files = manifest["files"]
        for path, (size, sha256) in files.items():
            full = os.path.join(folder, path)
            try:
                if os.stat(full).st_size != size:
                    return "%s has another size" % path
                if verify and sha256_of(full) != sha256:
                    return "%s has other contents" % path
            except FileNotFoundError:
                return "%s is missing" % path
    except FileNotFoundError:
        return "no manifest: it was never finished"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "its manifest cannot be read"
    except NotADirectoryError:
        return "it is not a folder"
    return None


def build(folder, parent, name):
    """Downloads, checks and unpacks the wheels beside `folder`, then renames the result."""
    # Holding the lock, so these can only be left from runs that were killed.
    for entry in os.listdir(parent):
        if entry.startswith(name + ".partial-"):
            shutil.rmtree(os.path.join(parent, entry), ignore_errors=True)
    free = shutil.disk_usage(parent).free
    if free < NEEDED_BYTES:
        raise SetupError(
            "%s has %.1f GB free and libtorch needs %.1f GB while unpacking: free some, or set XDG_CACHE_HOME to a "
            "folder on another disk" % (parent, free / 1e9, NEEDED_BYTES / 1e9)
        )
    temporary = tempfile.mkdtemp(prefix=name + ".partial-", dir=parent)
    try:
        os.chmod(temporary, 0o755)
        unpacked = os.path.join(temporary, "unpacked")
        files = {}
        for wheel in WHEELS:
            path = download(wheel, temporary)
            unpack(wheel, path, unpacked, files)
            os.remove(path)
        write(unpacked, "build-version", VERSION.encode(), files)
        manifest = {"format": MANIFEST_FORMAT, "wheels": pins(), "files": files}
        write(unpacked, MANIFEST, json.dumps(manifest, indent=0).encode(), {})
        if os.path.lexists(folder):
            os.rename(folder, os.path.join(temporary, "damaged"))
        os.rename(unpacked, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    say("libtorch %s (CPU) is in %s" % (VERSION, folder))


def download(wheel, temporary):
    """Fetches one wheel with pip, whose index, proxy and certificate settings are respected."""
    import importlib.util
    import subprocess

    if importlib.util.find_spec("pip") is None:
        raise SetupError(
            "%s has no pip (Debian: apt install python3-pip): install it, or %s"
            % (sys.executable, OWN_LIBTORCH)
        )
    requirement = wheel["requirement"]
    implementation, python, abi, platform = wheel["tags"]
    say("downloading %s" % requirement)
    target = tempfile.mkdtemp(prefix="wheel-", dir=temporary)
    command = [sys.executable] + "-m pip download --quiet --no-deps --only-binary=:all:".split()
    # No second copy in pip's cache: 0.5 GB that nothing would read again.
    command += "--no-cache-dir --disable-pip-version-check --no-input --retries 2 --dest".split() + [target]
    command += ["--implementation", implementation, "--python-version", python]
    command += ["--abi", abi, "--platform", platform]
    # pip unpacks nothing, but collects the file in TMPDIR first, and /tmp may be small.
    environment = dict(os.environ, TMPDIR=target)
    done = subprocess.run(
        command + [requirement],
        env=environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    wheels = [entry for entry in os.listdir(target) if entry.endswith(".whl")]
    if done.returncode != 0 or len(wheels) != 1:
        if "No space left" in done.stderr or "Errno 28" in done.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), target)
        raise SetupError(
            "pip could not download %s (%s): check the network and pip's index, or %s"
            % (requirement, first_cause(done.stderr), OWN_LIBTORCH)
        )
    path = os.path.join(target, wheels[0])
    found = sha256_of(path)
    if found != wheel["sha256"]:
        raise SetupError(
            "%s has sha256 %s and not the pinned %s: the index gave another file; ask its owner, or %s"
            % (wheels[0], found, wheel["sha256"], OWN_LIBTORCH)
        )
    return path


def unpack(wheel, path, unpacked, files):
    """Copies what `keep` names, and notes size and sha256 of each file."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        for prefix, names, destination in wheel["keep"]:
            if names is None:
                members = [m for m in archive.namelist() if m.startswith(prefix) and not m.endswith("/")]
            else:
                members = [prefix + name for name in names]
            for member in members:
                with archive.open(member) as source:
                    write(unpacked, destination + member[len(prefix) :], source, files)


def write(root, path, contents, files):
    """Writes bytes or a stream to `root/path`; hashing on the way saves reading it again."""
    import hashlib
    import io

    source = io.BytesIO(contents) if isinstance(contents, bytes) else contents
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    size, sha256 = 0, hashlib.sha256()
    with open(full, "wb") as target:
        for block in iter(lambda: source.read(1 << 20), b""):
            target.write(block)
            sha256.update(block)
            size += len(block)
    files[path] = [size, sha256.hexdigest()]


def sha256_of(path):
    import hashlib

    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def pins():
    return [wheel["sha256"] for wheel in WHEELS]


# ---------------------------------------------------------------------------------------------
# The link, and talking


def point(link, folder):
    """Makes `link` a symlink to `folder`; untouched when it already is."""
    if os.path.islink(link):
        if os.readlink(link) == folder:
            return
    elif os.path.lexists(link):
        raise SetupError("%s exists and is no symlink: move it away" % link)
    temporary = "%s.%d" % (link, os.getpid())
    os.symlink(folder, temporary)
    os.replace(temporary, link)
    say("%s -> %s" % (os.path.basename(link), folder))


def explain(error):
    """One line for an error of the file system."""
    where = error.filename or "the disk"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            "no space left while writing %s: free %.1f GB, or set XDG_CACHE_HOME to a folder on another disk"
            % (where, NEEDED_BYTES / 1e9)
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "may not write %s (%s): mend its permissions, or set XDG_CACHE_HOME to another folder" % (
            where,
            error.strerror,
        )
    return "%s: %s" % (where, error.strerror or error)


def first_cause(text):
    """pip's retry warnings name the cause; its closing error only says that nothing was found."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        for sign in (
            "Name or service not known",
            "Temporary failure in name resolution",
            "Connection refused",
        ):
            if sign in line:
                return sign.lower()
        for sign in ("Network is unreachable", "timed out", "CERTIFICATE_VERIFY_FAILED", "ProxyError"):
            if sign in line:
                return sign
    errors = [line for line in lines if line.startswith("ERROR:")]
    return last_line("\n".join(errors) or text)


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def say(text):
    print("libtorch: %s" % text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
