#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "failure.h"

namespace pw {

/** What a file holds; no value: there is no such file. */
using Content = std::optional<std::string>;

/** Reads a whole file of at most 1 MB. A missing file is no failure. Symbolic links are refused. */
Failure readFile(const std::string& path, Content* content);

/** Replaces the file so that a reader sees the old content or the new, never a part (mode 0600); or removes it. */
Failure replaceFile(const std::string& path, const Content& content);

/** Whether the path, links followed, leads to that inode now; ESRCH when it leads elsewhere or nowhere. */
Failure checkIdentity(const std::string& path, uint64_t ino);

/** Whether the path is absolute, below /proc/sys/net/, and stays there. */
bool isNetSysctl(const std::string& path);

/** Of the namespace the calling thread is in. The value comes without its final newline. */
Failure readSysctl(const std::string& path, std::string* value);
Failure writeSysctl(const std::string& path, const std::string& value);

}  // namespace pw
