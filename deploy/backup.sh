#!/bin/sh
# A whole backup of the database, encrypted before it touches the disk:
#   BACKUP_RECIPIENT=admin@schule.example sh deploy/backup.sh /folder/for/backups
# The recipient is a GnuPG key whose private half is not on this server. Keep 30 days, no longer:
# what has been deleted for a person must not live on in backups for ever.
#
# Not in it: deploy/.env. Without its GUSTAV_SECRET_KEY the platforms' keys cannot be read.
#
# Back again, into an empty database of the same version of the tool:
#   gpg --decrypt FILE | docker compose exec -T postgres pg_restore --username postgres --dbname gustav
# then: docker compose run --rm worker gustav doctor
set -eu
folder="${1:?Es fehlt der Ordner für die Sicherungen.}"
: "${BACKUP_RECIPIENT:?Es fehlt BACKUP_RECIPIENT: ohne Schlüssel wird nicht gesichert.}"
umask 077
cd "$(dirname "$0")"
file="$folder/gustav-$(date -u +%Y-%m-%dT%H%M%SZ).dump.gpg"
trap 'rm -f "$file.part" "$file.failed"' EXIT
dump() {
    docker compose exec -T postgres pg_dump --username postgres --format custom gustav
}
# POSIX sh does not see the first command of a pipe fail, so its end is asked for.
{ dump || echo failed >&3; } 3>"$file.failed" \
    | gpg --batch --no-auto-key-locate --trust-model always \
        --encrypt --recipient "$BACKUP_RECIPIENT" --output "$file.part"
if [ -s "$file.failed" ]; then
    echo "Die Sicherung ist gescheitert: die Datenbank ließ sich nicht auslesen." >&2
    exit 1
fi
mv "$file.part" "$file"
find "$folder" -name 'gustav-*.dump.gpg' -mtime +30 -delete
echo "$file"
