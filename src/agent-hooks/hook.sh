#!/bin/sh
# One script for every git hook of an agent's session, called by the hook's name. It runs the repository's own hook of
# that name, wherever core.hooksPath says, and lets its exit code stand. The two hooks about messages also add who
# commits, in which session, and for which bead.
name=${0##*/}
# The session sets core.hooksPath by environment (githooks(5), git-config(1) GIT_CONFIG_COUNT); without it git names the
# repository's own directory.
own=$(env -u GIT_CONFIG_COUNT git rev-parse --git-path hooks 2>/dev/null)/$name
case $name in
  prepare-commit-msg | commit-msg)
    if [ -x "$own" ]; then "$own" "$@" || exit $?; fi
    ;;
  *)
    if [ -x "$own" ]; then exec "$own" "$@"; fi
    exit 0
    ;;
esac

[ -n "$TOWN_AGENT" ] || exit 0
# An editor comes next: a message left empty must stay empty, so that git aborts; commit-msg sees what was written.
if [ "$name" = prepare-commit-msg ] && [ -z "$2" ]; then exit 0; fi
# Empty but for comments: git refuses it, or was told to take it as it is.
[ -n "$(git stripspace --strip-comments <"$1")" ] || exit 0
branch=$(git symbolic-ref -q --short HEAD)
bead=
case $branch in town/agents/*/*/*) bead=${branch##*/} ;; esac
if [ "$bead" = home ] || [ -z "$bead" ]; then
  bead=
  # A branch for all its work, or none: what is on its hook now, if that looks like a bead.
  [ -n "$TOWN_BEAD_FILE" ] && bead=$(head -c 200 "$TOWN_BEAD_FILE" 2>/dev/null)
  case $bead in *[!A-Za-z0-9._-]*) bead= ;; esac
fi
set -- "$1" --trailer "Town-Agent: $TOWN_AGENT"
[ -n "$TOWN_GENERATION" ] && set -- "$@" --trailer "Town-Session: ${TOWN_AGENT##*/}@$TOWN_GENERATION"
[ -n "$bead" ] && set -- "$@" --trailer "Town-Bead: $bead"
file=$1
shift
exec git interpret-trailers --in-place --no-divider --if-exists doNothing "$@" "$file"
