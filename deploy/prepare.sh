#!/bin/sh
# Write deploy/.env with fresh passwords: sh deploy/prepare.sh gustav.schule.example
# Refuses to replace one: with another secret key the platforms' keys could not be read any more.
set -eu
cd "$(dirname "$0")"
domain="${1:-}"
if [ -z "$domain" ]; then
    echo "Es fehlt der Name des Servers: sh deploy/prepare.sh gustav.schule.example" >&2
    exit 2
fi
if [ -e .env ]; then
    echo "deploy/.env gibt es schon; es bleibt, wie es ist." >&2
    exit 1
fi
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
umask 077
cat >.env <<ENV
GUSTAV_DOMAIN=$domain
GUSTAV_SECRET_KEY=$(random)
POSTGRES_PASSWORD=$(random)
OWNER_PASSWORD=$(random)
APP_PASSWORD=$(random)

# Which models: zwei-modelle, ein-modell or vllm, see config/env.example. They have to be fetched
# once; gustav doctor names the commands.
GUSTAV_MODEL_PROFILE=zwei-modelle
# A Moodle in the school's own network has to be named here (host or host:port).
GUSTAV_OUTBOUND_ALLOW=
ENV
echo "deploy/.env ist geschrieben. Bewahren Sie eine Kopie getrennt von den Sicherungen auf."
