#!/bin/sh
# create.sh - what the output sentinel needs in Azure: an app with a secret, and
# by template.json a table, a data collection rule, the role on it and functions.
#
#   create.sh RESOURCE-GROUP WORKSPACE      after az login; prints the options
set -eu

group=$1 workspace=$2
here=$(cd "$(dirname "$0")" && pwd)

client=$(az ad app create --display-name sealfeed --query appId --output tsv)
principal=$(az ad sp create --id "$client" --query id --output tsv)
location=$(az monitor log-analytics workspace show --resource-group "$group" \
    --workspace-name "$workspace" --query location --output tsv)
az deployment group create --resource-group "$group" --name sealfeed \
    --template-file "$here/template.json" --parameters workspace="$workspace" \
    principal="$principal" location="$location" --output none

output() {
	az deployment group show --resource-group "$group" --name sealfeed \
	    --query "properties.outputs.$1.value" --output tsv
}
cat <<END
url: $(output url)
rule: $(output rule)
tenant: $(az account show --query tenantId --output tsv)
client_id: $client
END
echo "The client secret, for the file that client_secret names:" >&2
az ad app credential reset --id "$client" --append --display-name sealfeed \
    --query password --output tsv
