#!/usr/bin/env bash
# Fetches the vendored style library anew from the npm registry that npm is set to. Run from this folder; commit the result.
set -eu
version=1.6.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "@tabler/core@$version" >/dev/null && tar xzf ./*.tgz)
for file in css/tabler.min.css css/tabler.rtl.min.css js/tabler.min.js; do
  # Source maps are not shipped, so the line that names them goes too.
  sed -E 's#/\*\# sourceMappingURL=.*\*/##; s#^//\# sourceMappingURL=.*##' "$work/package/dist/$file" > "tabler/$(basename "$file")"
done
