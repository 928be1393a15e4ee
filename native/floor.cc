// Definitions that keep the binary loadable where Node 20 itself is: glibc 2.28 and the libstdc++ of GCC 8. Newer
// headers refer to symbols those libraries lack; defined here (hidden, see exports.map), they are not imported.

#include <new>

/** glibc 2.32, read by std::shared_ptr to save atomic operations. Node is never single-threaded. */
extern "C" {
char __libc_single_threaded = 0;
}

namespace std {

/** GLIBCXX_3.4.29, called by allocators. */
void __throw_bad_array_new_length() { throw bad_array_new_length(); }

}  // namespace std
