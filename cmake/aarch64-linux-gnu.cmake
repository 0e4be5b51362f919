# Cross-compiles to AArch64 on Debian: needs g++-aarch64-linux-gnu, qemu-user, and Gradus's packages for arm64
# (scripts/cross_aarch64.sh installs them). Tests run under qemu.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -cpu max)
