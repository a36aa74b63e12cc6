#!/usr/bin/env bash
# Cross-compiles the numeric layers for AArch64 and runs their unit tests under QEMU, on a CPU with the instructions for dot
# products of bytes and on one without; not part of ./check.
#
# usage: scripts/check-aarch64.sh [TEST...]      tensor/kernels, vector/distance ...; without any, all of these layers
#
# Needs gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user. Builds in build-aarch64/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/say.sh

compiler=aarch64-linux-gnu-gcc
for tool in $compiler qemu-aarch64
do
	[[ -n $(command -v $tool) ]] || die "there is no $tool" "Install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user."
done

# Functions by themselves: what host.c has for models is left out, and with it the layers that need libraries.
flags=(-ffunction-sections -std=gnu11 -g -O2 -Wall -Wextra -Werror -Wmissing-prototypes -Wno-declaration-after-statement -ffp-contract=off
	-D_GNU_SOURCE -Isrc -Itest)
objects=()
mkdir -p build-aarch64
for file in src/core/*.c src/tensor/*.c src/vector/*.c src/hnsw/*.c src/cli/host.c
do
	object=${file#src/}
	object=build-aarch64/${object//\//-}.o
	$compiler "${flags[@]}" -c "$file" -o "$object"
	objects+=("$object")
done

tests=("$@")
if [[ ${#tests[@]} == 0 ]]
then
	for file in test/unit/core/{cpu,half}.c test/unit/tensor/*.c test/unit/vector/*.c test/unit/hnsw/*.c
	do
		file=${file#test/unit/}
		tests+=("${file%.c}")
	done
fi
programs=()
for test in "${tests[@]}"
do
	program=build-aarch64/${test//\//-}.t
	programs+=("$program")
	$compiler "${flags[@]}" "test/unit/$test.c" "${objects[@]}" -Wl,--gc-sections -lpthread -ldl -lm -o "$program"
done
for cpu in cortex-a76 cortex-a53
do
	printf '%s\n' "$cpu"
	prove -e "qemu-aarch64 -cpu $cpu -L /usr/aarch64-linux-gnu" "${programs[@]}"
done
