# How the scripts speak: a step, a remark, a warning, an end. Sourced, never run.
# shellcheck shell=bash

if [[ -t 1 && -z ${NO_COLOR:-} ]]
then
	say_bold=$'\e[1m' say_plain=$'\e[0m'
else
	say_bold='' say_plain=''
fi

step()
{
	printf '%s== %s%s\n' "$say_bold" "$*" "$say_plain"
}

remark()
{
	printf '   %s\n' "$*"
}

warn()
{
	printf 'warning: %s\n' "$*" >&2
}

# die MESSAGE [HINT...]
die()
{
	printf 'error: %s\n' "$1" >&2
	shift
	(($# == 0)) || printf '       %s\n' "$@" >&2
	exit 1
}
