#!/usr/bin/env bash
# Deploys a release to a plain server, and puts the one before back where that fails. See README.md.
set -euo pipefail
umask 077 # the database holds what people wrote

usage() {
  cat <<'END'
deploy.sh [COMMAND] [--no-backup]

  deploy [REVISION]    a branch, tag or commit; the repository's default branch unless given
  rollback [RELEASE]   the release before this one, or the one named; the database stays as it is
  status               releases, processes, readiness, last log lines
  backup               the database, as every deployment does first; for cron
  supervisor           print the configuration for supervisor; root puts it into place

Without a command: deploy. From the environment, with defaults:

  BASE                /srv/kie, or where this script is deployed: everything is below it
  REPOSITORY          what was deployed from last; at first, the origin of this script's checkout
  PYTHON              python3
  SUPERVISORCTL       supervisorctl
  SERVICE_URL         http://BIND:PORT (these from the environment or BASE/.env)
  HEALTH_SECONDS      60: how long a release may take to become ready
  VERIFY_SIGNATURE    unset; 1: the commit must have a good signature (git verify-commit)
  KEEP_RELEASES, KEEP_BACKUPS   5, 14
  MIN_FREE_MB         2048: room that there must be
  LOGS, SERVICE_USER, START_SECONDS   for `supervisor`: /var/log/kie, owner of BASE, 5

BASE/.env may also hold BACKUP_DATABASE_URL, where DATABASE_URL is a transaction pooler.

Exit codes: 0 done. 1 failed, and the service runs as before. 2 wrong arguments, or something is
missing, and nothing was done. 3 failed after the switch, and was rolled back. 4 failed, and the
service needs you.
END
}

SCRIPTS="$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
PROGRAMS=(kie-web:0 kie-web:1 kie-poller kie-dashboard)
STEPS=10
STEP=0
SWITCHED_FROM=  # set between the switch and its success: where to go back to
UNFINISHED=     # a release that is not in use yet

main() {
  local command=deploy argument='' backup=yes
  case "${1:-}" in deploy | rollback | status | backup | supervisor) command="$1"; shift ;; esac
  while [ $# -gt 0 ]; do
    case "$1" in
      -h | --help) usage; exit 0 ;;
      --no-backup) backup=no ;;
      -*) refuse "unknown option $1; see --help" ;;
      *) [ -z "$argument" ] || refuse "too many arguments; see --help"
         argument="$1" ;;
    esac
    shift
  done
  configure
  case "$command" in
    deploy) locked; deploy "${argument:-origin/HEAD}" "$backup" ;;
    rollback) locked; rollback "$argument" ;;
    status) status ;;
    backup) locked; [ -n "$(current)" ] || refuse "nothing is deployed"
            back_up "$(current)"; say "$BACKED_UP" ;;
    supervisor) supervisor_configuration ;;
  esac
}

configure() {
  local above="${SCRIPTS%/releases/*}"
  [ "$above" = "$SCRIPTS" ] && above=/srv/kie
  BASE="$(readlink -f "${BASE:-$above}")" || refuse "BASE: there is no such folder"
  [ -d "$BASE" ] || refuse "BASE: $BASE is no folder"
  PYTHON="${PYTHON:-python3}"
  SUPERVISORCTL="${SUPERVISORCTL:-supervisorctl}"
  SERVICE_URL="${SERVICE_URL:-http://$(reachable PORT 8000)}"
  DASHBOARD="http://$(reachable DASHBOARD_PORT 8501)/_stcore/health"
  HEALTH_SECONDS="${HEALTH_SECONDS:-60}"
  KEEP_RELEASES="${KEEP_RELEASES:-5}"
  KEEP_BACKUPS="${KEEP_BACKUPS:-14}"
  MIN_FREE_MB="${MIN_FREE_MB:-2048}"
  REPOSITORY_COPY="$BASE/repository.git"
}

# ---- the steps of a deployment

deploy() {
  local revision="$1" backup="$2" release=
  trap 'ended $?' EXIT
  trap 'exit 1' INT TERM HUP PIPE # without it EXIT would be told of 0
  check_machine
  fetch "$revision"
  verify "$revision"
  release="$(date -u +%Y%m%d-%H%M%S)-${COMMIT:0:12}"
  install_release "$release"
  check_settings "$release"
  if [ "$backup" = yes ]; then
    step "back up the database"
    back_up "$release"
    note "$BACKED_UP"
  else
    step "back up the database: left out"
  fi
  migrate "$release"
  try_release "$release"
  activate "$release"
  check_health "$release"
  touch "$BASE/releases/$release/.deployed"
  SWITCHED_FROM=
  UNFINISHED=
  clean_up
  say "deployed: $release"
  last_lines 3
}

check_machine() {
  step "check this machine"
  local tool free known
  for tool in git curl tar flock sha256sum timeout "$PYTHON" "${SUPERVISORCTL%% *}"; do
    command -v "$tool" >/dev/null || refuse "$tool is not installed"
  done
  "$PYTHON" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    refuse "$PYTHON must be 3.11 or later and able to make environments (Debian: python3-venv)"
  free="$(df -Pm "$BASE" | awk 'NR == 2 { print $4 }')"
  [ "$free" -ge "$MIN_FREE_MB" ] || refuse "$BASE has $free MB of room, $MIN_FREE_MB are needed"
  [ -r "$BASE/.env" ] || refuse "$BASE/.env is missing: see .env.example"
  [ "$(stat -c %a "$BASE/.env")" = 600 ] || refuse "chmod 600 $BASE/.env: it holds secrets"
  known="$(ctl status 2>/dev/null || true)"
  for tool in "${PROGRAMS[@]}"; do
    grep -q "^$tool " <<<"$known" || refuse "supervisor cannot be asked, or does not know $tool:\
 as root, put the output of deploy.sh supervisor into /etc/supervisor/conf.d/kie.conf and run\
 supervisorctl update"
  done
  mkdir -p "$BASE/releases" "$BASE/venvs" "$BASE/data"
}

fetch() {
  step "fetch"
  local from="${REPOSITORY:-}"
  [ -n "$from" ] || from="$(git --git-dir="$REPOSITORY_COPY" config deploy.from 2>/dev/null)" ||
    from="$(git -C "$SCRIPTS" remote get-url origin 2>/dev/null)" || refuse "set REPOSITORY"
  git init -q --bare "$REPOSITORY_COPY"
  find "$REPOSITORY_COPY" -name '*.lock' -delete # of one that was killed: nobody else is here
  git --git-dir="$REPOSITORY_COPY" -c fetch.fsckObjects=true fetch -q --prune "$from" \
    '+HEAD:refs/remotes/origin/HEAD' '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*'
  git --git-dir="$REPOSITORY_COPY" config deploy.from "$from" # once it is known to work
}

verify() {
  step "verify"
  COMMIT="$(git --git-dir="$REPOSITORY_COPY" rev-parse --verify --quiet "$1^{commit}")" ||
    refuse "the repository has no $1"
  if [ "${VERIFY_SIGNATURE:-}" = 1 ]; then
    git --git-dir="$REPOSITORY_COPY" verify-commit "$COMMIT" || refuse "$COMMIT is not signed well"
  fi
  note "$(git --git-dir="$REPOSITORY_COPY" log -1 --format='%h of %cs: %s' "$COMMIT")"
}

install_release() {
  step "install"
  local folder="$BASE/releases/$1"
  UNFINISHED="$1"
  mkdir "$folder"
  git --git-dir="$REPOSITORY_COPY" archive "$COMMIT" | tar -x -C "$folder"
  ln -s ../../.env "$folder/.env"
  ln -s ../../data "$folder/data"
  if [ -e "$BASE/secrets.toml" ]; then
    mkdir -p "$folder/.streamlit"
    ln -s ../../../secrets.toml "$folder/.streamlit/secrets.toml"
  fi
  install_environment "$folder"
  bash -n "$folder/deploy/deploy.sh"
  in_release "$1" -c 'import core.__main__, webhook.__main__, poller.__main__, dashboard.__main__'
}

# Releases with the same requirements share one. It is marked once it is whole.
install_environment() {
  local key venv
  key="$({ cat "$1/requirements.txt"; "$PYTHON" -VV; } | sha256sum | cut -c1-16)"
  venv="$BASE/venvs/$key"
  if [ ! -e "$venv.whole" ]; then
    note "new environment $key"
    rm -rf "$venv"
    "$PYTHON" -m venv "$venv"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes \
      -r "$1/requirements.txt"
    touch "$venv.whole"
  fi
  ln -s "../../venvs/$key" "$1/.venv"
}

check_settings() {
  step "check the settings"
  in_release "$1" -m deploy.settings
}

back_up() {
  BACKED_UP="$(in_release "$1" -m deploy.backup "$BASE/backups")"
  find "$BASE/backups" -maxdepth 1 -type f -name '2*' | sort -r | tail -n "+$((KEEP_BACKUPS + 1))" |
    xargs -r -d '\n' rm --
}

migrate() {
  step "migrate the database"
  in_release "$1" -m core migrate --dry-run
  in_release "$1" -m core migrate
}

try_release() {
  step "try the release beside the service"
  in_release "$1" -m deploy.trial --seconds "$HEALTH_SECONDS"
}

activate() {
  step "switch, and restart one process after the other"
  SWITCHED_FROM="$(last_good)"
  [ -n "$SWITCHED_FROM" ] || SWITCHED_FROM=none
  point_to "$1"
  bring_to "$1"
}

check_health() {
  step "check the health"
  is_healthy "$1" || fail "not healthy after $HEALTH_SECONDS s: $SERVICE_URL/api/ready, $DASHBOARD"
}

# ---- going back

rollback() {
  local from target="$1"
  from="$(current)"
  [ -n "$from" ] || refuse "nothing is deployed"
  [ -n "$target" ] || target="$(deployed | awk -v now="$from" '$0 < now' | tail -n 1)"
  [ -n "$target" ] || refuse "there is no release before $from"
  deployed | grep -qxF -- "$target" || refuse "$target was never deployed; see deploy.sh status"
  say "rolling back from $from to $target; the database stays as it is"
  go_back_to "$target" || needs_you "$target is not healthy either"
  say "rolled back: $target"
}

# 0 once a release that ran well runs again. Called where errors do not end the script.
go_back_to() {
  point_to "$1" || return 1
  bring_to "$1" || return 1
  is_healthy "$1" || return 1
}

# However a deployment ends: by an error, Ctrl-C, or well.
ended() {
  local code="$1"
  trap - EXIT
  trap '' INT TERM HUP PIPE
  set +e
  if [ -n "$SWITCHED_FROM" ]; then
    say "the deployment failed after the switch. Last log lines:"
    last_lines 15
    [ "$SWITCHED_FROM" != none ] || needs_you "there is no earlier release to go back to"
    go_back_to "$SWITCHED_FROM" || needs_you "the roll-back to $SWITCHED_FROM failed too"
    say "rolled back to $SWITCHED_FROM. Migrations stay: they suit that release as well"
    code=3
  elif [ "$code" != 0 ]; then
    [ "$code" = 2 ] || code=1
    say "the deployment failed, and the service was not touched"
  fi
  [ -z "$UNFINISHED" ] || rm -rf "$BASE/releases/$UNFINISHED"
  exit "$code"
}

# ---- releases

current() {
  [ ! -L "$BASE/current" ] || basename "$(readlink "$BASE/current")"
}

# The releases that ran well once, oldest first.
deployed() {
  find "$BASE/releases" -mindepth 2 -maxdepth 2 -name .deployed -printf '%h\n' | sed 's|.*/||' | sort
}

# What to go back to. The current release is none where the deployment of it was killed.
last_good() {
  deployed | grep -xF -- "$(current)" || deployed | tail -n 1
}

point_to() {
  ln -sfn "releases/$1" "$BASE/.current" && mv -T "$BASE/.current" "$BASE/current"
}

clean_up() {
  local release venv
  local kept="$BASE/.kept"
  { deployed | tail -n "$KEEP_RELEASES"; current; } | sort -u >"$kept"
  for release in "$BASE"/releases/*/; do
    release="$(basename "$release")"
    grep -qxF -- "$release" "$kept" || rm -rf "$BASE/releases/$release"
  done
  for venv in "$BASE"/venvs/*/; do
    venv="${venv%/}"
    is_linked "$(basename "$venv")" || rm -rf "$venv.whole" "$venv"
  done
  rm "$kept"
}

is_linked() {
  local link
  for link in "$BASE"/releases/*/.venv; do
    [ "$(basename "$(readlink "$link")")" != "$1" ] || return 0
  done
  return 1
}

# Python in a release, with nothing of our own environment: as supervisor starts it.
in_release() {
  local release="$1"
  shift
  (cd "$BASE/releases/$release" && env -i PATH="$PATH" HOME="${HOME:-/}" LANG=C.UTF-8 \
    .venv/bin/python "$@")
}

# ---- processes

ctl() {
  $SUPERVISORCTL "$@"
}

# Restart what does not run this release, one after the other. A web process follows only once the
# release answers: until then the other one does.
bring_to() {
  local program
  for program in "${PROGRAMS[@]}"; do
    runs "$program" "$1" && continue
    ctl restart "$program" || return 1
    case "$program" in kie-web:*) answers "$program" "$1" || return 1 ;; esac
    runs "$program" "$1" || return 1
  done
}

# Whether somebody of a release answers in time. A program that dies meanwhile is not waited for.
answers() {
  local until=$((SECONDS + HEALTH_SECONDS)) pid
  pid="$(ctl pid "$1")" || return 1
  while [ "$SECONDS" -lt "$until" ] && [ "$(ctl pid "$1")" = "$pid" ]; do
    # At once, so that each process takes some of them. Not grep -q, which would break the pipe.
    ask --parallel --parallel-immediate -i "/api/health?[1-8]" | grep -i "^x-release: $2" >/dev/null &&
      return 0
    sleep 0.2
  done
  return 1
}

# Whether a program runs, and its working directory is this release.
runs() {
  local pid
  pid="$(ctl pid "$1" 2>/dev/null)" || return 1
  [ "$(readlink "/proc/$pid/cwd")" = "$BASE/releases/$2" ]
}

is_healthy() {
  local until=$((SECONDS + HEALTH_SECONDS)) answer
  while [ "$SECONDS" -lt "$until" ]; do
    if answer="$(ask -f /api/ready)" && dashboard_answers && all_run "$1"; then
      note "$answer"
      return 0
    fi
    sleep 1
  done
  note "$(ask /api/ready)"
  ctl status | grep '^kie-'
  return 1
}

all_run() {
  local program
  for program in "${PROGRAMS[@]}"; do
    runs "$program" "$1" || return 1
  done
}

# The service's answer to curl's options and a path, in the end.
ask() {
  curl -sS --noproxy '*' --max-time 10 "${@:1:$#-1}" "$SERVICE_URL${*: -1}" 2>/dev/null
}

dashboard_answers() {
  curl -sSf --noproxy '*' --max-time 10 "$DASHBOARD" >/dev/null 2>&1
}

last_lines() {
  local program
  for program in "${PROGRAMS[@]}"; do
    echo "--- $program"
    ctl tail -8000 "$program" 2>&1 | tail -n "$1" || true
  done
}

status() {
  echo "current: $(current)"
  deployed | sed 's/^/deployed: /'
  ctl status | grep '^kie-' || true
  ask /api/ready || true
  last_lines 5
}

supervisor_configuration() {
  [[ "$(listen_address)" =~ ^[0-9.]+:[0-9]+$ ]] || refuse "BIND must be an IPv4 address, PORT a number"
  sed -e "s|@BASE@|$BASE|g" -e "s|@LISTEN@|$(listen_address)|" -e "s|@LOGS@|${LOGS:-/var/log/kie}|" \
    -e "s|@USER@|${SERVICE_USER:-$(stat -c %U "$BASE")}|" \
    -e "s|@START_SECONDS@|${START_SECONDS:-5}|" "$SCRIPTS/supervisor.conf"
}

listen_address() {
  echo "$(setting BIND 127.0.0.1):$(setting "${1:-PORT}" "${2:-8000}")"
}

# Where this machine finds what listens at a port.
reachable() {
  listen_address "$@" | sed 's/^0\.0\.0\.0:/127.0.0.1:/'
}

# A plain setting: from the environment, else from .env, else the default.
setting() {
  local value="${!1:-}"
  if [ -z "$value" ] && [ -r "$BASE/.env" ]; then
    value="$(sed -n "s/^\s*\(export\s\+\)\?$1\s*=\s*[\"']\?\([^\"'#[:space:]]*\).*/\2/Ip" \
      "$BASE/.env" | tail -n 1)"
  fi
  echo "${value:-$2}"
}

# ---- one at a time, and what is said

locked() {
  exec 9>"$BASE/.lock"
  flock -n 9 || refuse "another deployment is under way"
}

step() {
  STEP=$((STEP + 1))
  echo "[$STEP/$STEPS] $*"
}

note() {
  echo "       $*"
}

say() {
  echo "deploy: $*"
}

fail() {
  say "$*" >&2
  exit 1
}

refuse() {
  say "$*" >&2
  exit 2
}

needs_you() {
  say "THE SERVICE NEEDS YOU: $*. See deploy.sh status and README.md" >&2
  exit 4
}

main "$@"
