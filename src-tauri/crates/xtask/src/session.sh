#!/usr/bin/env bash
# Runs a command in a desktop session of its own: home folder, virtual screen, message bus and an
# unlocked keyring. All of it ends with the command; with WATCH=1, also when stdin is closed.
#
#   session.sh FOLDER SCREEN COMMAND...
set -u
folder=$1 screen=$2
shift 2

runtime=$(mktemp -d)
trap 'rm -rf "$runtime"' EXIT
export HOME=$folder/home XDG_RUNTIME_DIR=$runtime
export XDG_DATA_HOME=$HOME/.local/share XDG_CONFIG_HOME=$HOME/.config XDG_CACHE_HOME=$HOME/.cache
export GDK_BACKEND=x11 LIBGL_ALWAYS_SOFTWARE=1 NO_AT_BRIDGE=1 SESSION_FOLDER=$folder
unset WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS
mkdir -p -m 700 "$HOME" "$XDG_DATA_HOME" "$XDG_CONFIG_HOME" "$XDG_CACHE_HOME"

xvfb-run -a -s "-screen 0 $screen -nolisten tcp" dbus-run-session -- bash -c '
  printf "%s\n%s\n" "$DISPLAY" "${XAUTHORITY:-}" > "$SESSION_FOLDER/display"
  printf "session" | gnome-keyring-daemon --foreground --unlock --components=secrets >/dev/null 2>&1 &
  keyring=$!
  for _ in $(seq 200); do
    dbus-send --session --print-reply --dest=org.freedesktop.DBus / \
      org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets 2>/dev/null |
      grep -q true && break
    sleep 0.05
  done
  if [ "${WATCH:-}" = 1 ]; then
    exec 3<&0
    "$@" </dev/null &
    command=$!
    (cat <&3 >/dev/null; kill "$command" 2>/dev/null) &
    watcher=$!
    wait "$command"
    code=$?
    kill "$watcher" 2>/dev/null
  else
    "$@"
    code=$?
  fi
  kill "$keyring" 2>/dev/null
  rm -f "$SESSION_FOLDER/display"
  exit "$code"
' session "$@"
