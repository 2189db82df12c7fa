//! What a module needs besides memory and the folders of its mounts. Workers are confined, so the administrator has to
//! grant it (`--grant`), or the module is refused. Join them by `|`.

/// Connect to other machines, and look up their names.
pub const NETWORK: u32 = 1;
/// Accept connections at addresses of its own.
pub const LISTENING: u32 = 2;
/// Connect to Unix sockets, or listen at some.
pub const UNIX_SOCKETS: u32 = 4;
/// Make processes, and execute programs.
pub const PROGRAMS: u32 = 8;
/// Read files that are in no folder of its mounts.
pub const READING: u32 = 16;
/// Write files.
pub const WRITING: u32 = 32;
/// Make machine code while it runs.
pub const NEW_CODE: u32 = 64;
