#!/bin/sh
# A whole backup of the database and of the pupils' pages, encrypted before it touches the disk:
#   BACKUP_RECIPIENT=admin@schule.example sh deploy/backup.sh /folder/for/backups
# The recipient is a GnuPG key whose private half is not on this server. Keep 30 days, no longer:
# what has been deleted for a person must not live on in backups for ever.
#
# Not in it: deploy/.env. Without its GUSTAV_SECRET_KEY the platforms' keys cannot be read.
# Nor pages that lie in S3 (GUSTAV_FILES=s3://…): those are backed up where they are.
#
# Back again, into an empty database of the same version of the tool:
#   gpg --decrypt FILE.dump.gpg | docker compose exec -T postgres pg_restore --username postgres --dbname gustav
#   gpg --decrypt FILE.files.tar.gpg | docker compose exec -T worker tar --extract --directory /var/lib/gustav/files
# then: docker compose run --rm worker gustav doctor, and ... gustav check-invariants: does all of it fit together?
set -eu
folder="${1:?Es fehlt der Ordner für die Sicherungen.}"
: "${BACKUP_RECIPIENT:?Es fehlt BACKUP_RECIPIENT: ohne Schlüssel wird nicht gesichert.}"
umask 077
cd "$(dirname "$0")"
name="$folder/gustav-$(date -u +%Y-%m-%dT%H%M%SZ)"
trap 'rm -f "$name".*.part "$name.failed"' EXIT
dump() {
    docker compose exec -T postgres pg_dump --username postgres --format custom gustav
}
# After the database, because pages are written before their rows: none that a row names is missing.
pages() {
    docker compose exec -T worker tar --create --directory /var/lib/gustav/files \
        --exclude ./arriving --exclude ./.unfinished .
}
# keep COMMAND FILE WHAT: its output, encrypted. POSIX sh does not see the first command of a pipe
# fail, so its end is asked for.
keep() {
    { "$1" || echo failed >&3; } 3>"$name.failed" \
        | gpg --batch --no-auto-key-locate --trust-model always \
            --encrypt --recipient "$BACKUP_RECIPIENT" --output "$2.part"
    if [ -s "$name.failed" ]; then
        echo "Die Sicherung ist gescheitert: $3 nicht auslesen." >&2
        exit 1
    fi
}
keep dump "$name.dump.gpg" "die Datenbank ließ sich"
keep pages "$name.files.tar.gpg" "die Seiten der Abgaben ließen sich"
mv "$name.dump.gpg.part" "$name.dump.gpg"
mv "$name.files.tar.gpg.part" "$name.files.tar.gpg"
find "$folder" -name 'gustav-*.gpg' -mtime +30 -delete
echo "$name.dump.gpg"
echo "$name.files.tar.gpg"
