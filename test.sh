#!/bin/sh
# Run by OpenWrt's CI after each package was installed: $1 is its name, $2 its version.

case "$1" in
sms-gateway)
	smsgw --version | grep -F "${2%-r*}"
	sms_gateway --version | grep -F "${2%-r*}"
	smsgw config check
	;;
esac
