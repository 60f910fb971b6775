#!/bin/sh
# Works what is due, within one request. For any cron that can run a command:
#   * * * * * APP_URL=https://app.example.com CRON_SECRET=… /path/to/drain.sh
# --max-time is above the drain's budget (50 s) and grace: who hangs up earlier has its jobs given back unfinished.
# BUDGET_MS=50000 asks for less than the server's own budget, where that is longer.
# With KEY_HEADER=1 the secret goes as x-api-key, for proxies that keep Authorization to themselves.
set -eu
: "${APP_URL:?set APP_URL to where the application is, such as https://app.example.com}"
: "${CRON_SECRET:?set CRON_SECRET to the secret that the application was given}"
if [ "${KEY_HEADER:-0}" = 1 ]; then header="x-api-key: $CRON_SECRET"; else header="Authorization: Bearer $CRON_SECRET"; fi
# From a file, so that the secret is not in the list of processes.
printf 'header = "%s"\n' "$header" | curl --config - --silent --show-error --fail-with-body --max-time 70 \
  --request POST "$APP_URL/api/cron/drain?maxJobs=${MAX_JOBS:-1000}${BUDGET_MS:+&budgetMs=$BUDGET_MS}"
