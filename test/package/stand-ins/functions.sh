# shellcheck shell=dash disable=SC2034,SC3043,SC1090,SC2013
# Stands in for /lib/functions.sh of OpenWrt in a test root: what init scripts, uci-defaults and package scripts use of it.

config_load() {
	CONFIG_SECTIONS=
	eval "$(uci -q -n export "$1")"
}

package() { :; }

config() {
	CONFIG_SECTION="$2"
	CONFIG_SECTIONS="$CONFIG_SECTIONS $2"
	eval "CONFIG_${2}_TYPE=\$1"
}

option() {
	eval "CONFIG_${CONFIG_SECTION}_$1=\$2"
}

list() {
	local count

	eval "count=\${CONFIG_${CONFIG_SECTION}_$1_LENGTH:-0}"
	count=$((count + 1))
	eval "CONFIG_${CONFIG_SECTION}_$1_LENGTH=$count"
	eval "CONFIG_${CONFIG_SECTION}_$1_ITEM$count=\$2"
	eval "CONFIG_${CONFIG_SECTION}_$1=\"\${CONFIG_${CONFIG_SECTION}_$1:+\${CONFIG_${CONFIG_SECTION}_$1} }\$2\""
}

config_get() {
	eval "$1=\"\${CONFIG_${2}_${3}:-\$4}\""
}

config_foreach() {
	local ___function="$1" ___type="$2" ___section ___kind

	shift
	[ "$#" -eq 0 ] || shift
	for ___section in $CONFIG_SECTIONS; do
		config_get ___kind "$___section" TYPE
		[ -z "$___type" ] || [ "$___kind" = "$___type" ] || continue
		"$___function" "$___section" "$@"
	done
	return 0
}

config_list_foreach() {
	local ___section="$1" ___option="$2" ___function="$3" ___count ___at=1 ___value

	shift 3
	config_get ___count "$___section" "${___option}_LENGTH"
	while [ "$___at" -le "${___count:-0}" ]; do
		config_get ___value "$___section" "${___option}_ITEM$___at"
		"$___function" "$___value" "$@"
		___at=$((___at + 1))
	done
}

# sms=7690:sms=7690:dialout=20
add_user() {
	local user id group further

	IFS=: read -r user group further <<-END
		$1
	END
	id="${user#*=}"
	user="${user%%=*}"
	grep -q "^$user:" /etc/passwd || echo "$user:x:$id:${group#*=}:$user:/var/run/$user:/bin/false" >>/etc/passwd
	grep -q "^$user:" /etc/group || echo "${group%%=*}:x:${group#*=}:" >>/etc/group
	sed -i "s/^${further%%=*}:.*/&$user/" /etc/group
}

default_postinst() {
	local name="${1##*/}" file

	name="${name%.*}"
	file="$(sed -n 's/^Require-User: *//p' "/usr/lib/opkg/info/$name.control")"
	[ -z "$file" ] || add_user "$file"
	[ ! -f "/usr/lib/opkg/info/$name.postinst-pkg" ] || (. "/usr/lib/opkg/info/$name.postinst-pkg")
	for file in $(sed -n 's!^/etc/uci-defaults/!!p' "/usr/lib/opkg/info/$name.list"); do
		(cd /etc/uci-defaults && [ -f "$file" ] && . "./$file" && rm -f "$file")
	done
	uci commit
	for file in $(grep '^/etc/init.d/' "/usr/lib/opkg/info/$name.list"); do
		[ "$PKG_UPGRADE" = 1 ] || "$file" enable
		"$file" start
	done
	return 0
}

default_prerm() {
	local name="${1##*/}" file

	name="${name%.*}"
	for file in $(grep '^/etc/init.d/' "/usr/lib/opkg/info/$name.list"); do
		[ "$PKG_UPGRADE" = 1 ] || "$file" disable
		"$file" stop
	done
	return 0
}
