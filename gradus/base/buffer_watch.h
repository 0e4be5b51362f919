// Who keeps something about buffers that does not keep them alive learns here when they go.
#pragma once

namespace gradus {

class Buffer;

/// Called for every buffer that dies, from the thread that drops it, before its memory goes. One watcher in the process: set once,
/// it stays.
using BufferWatcher = void (*)(const Buffer& buffer) noexcept;
void watch_buffers(BufferWatcher watcher);

}  // namespace gradus
