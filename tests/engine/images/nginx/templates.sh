#!/bin/sh
# Each /etc/nginx/templates/NAME.template becomes conf.d/NAME; only variables that are set are replaced.
set -eu

names=$(awk 'BEGIN { for (name in ENVIRON) printf "${%s} ", name }')
for template in /etc/nginx/templates/*.template; do
    [ -e "$template" ] || continue
    envsubst "$names" < "$template" > "/etc/nginx/conf.d/$(basename "$template" .template)"
done
