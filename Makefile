# Package of an OpenWrt feed: the service, and its pages for LuCI. `npm run package` makes the same without the SDK.

include $(TOPDIR)/rules.mk

PKG_NAME:=sms-gateway
PKG_VERSION:=0.1.0
PKG_RELEASE:=1

# The bundle and everything else that is installed, made by `npm run package -- --format source`. A checkout of the
# repository in which `npm run build` has run is taken as it is.
PKG_SOURCE:=$(PKG_NAME)-$(PKG_VERSION).tar.gz
PKG_SOURCE_URL:=https://sms-gateway.example.org/releases
PKG_HASH:=skip
ifneq ($(wildcard $(CURDIR)/dist/main.js),)
  PKG_SOURCE:=
  PKG_SOURCE_URL:=
  SOURCE_DIR:=$(CURDIR)
endif

PKG_MAINTAINER:=SMS gateway developers <sms-gateway@example.org>
PKG_LICENSE:=MIT
PKG_LICENSE_FILES:=LICENSE

PKG_BUILD_PARALLEL:=1

include $(INCLUDE_DIR)/package.mk

define Package/sms-gateway
  SECTION:=net
  CATEGORY:=Network
  SUBMENU:=Telephony
  TITLE:=SMS gateway for GSM and LTE modems
  URL:=https://sms-gateway.example.org
  DEPENDS:=+node
  USERID:=sms=7690:sms=7690:dialout=20
endef

define Package/sms-gateway/description
  Sends and receives SMS by URL, e-mail, schedule, SMPP, ubus and command line,
  forwards and answers what arrives, and loses nothing on the way.
endef

# A path that is no file of the package is kept by sysupgrade: the messages.
define Package/sms-gateway/conffiles
/etc/config/sms_gateway
/etc/sms_gateway/
endef

define Package/luci-app-sms-gateway
  SECTION:=luci
  CATEGORY:=LuCI
  SUBMENU:=3. Applications
  TITLE:=Pages of the SMS gateway
  URL:=https://sms-gateway.example.org
  DEPENDS:=+luci-base +sms-gateway
  PKGARCH:=all
endef

define Package/luci-app-sms-gateway/description
  The pages of the SMS gateway in LuCI: messages, modems and every function.
endef

ifdef SOURCE_DIR
define Build/Prepare
	$(INSTALL_DIR) $(PKG_BUILD_DIR)/src
	$(CP) $(SOURCE_DIR)/dist $(SOURCE_DIR)/files $(SOURCE_DIR)/init.d $(SOURCE_DIR)/uci-defaults \
		$(SOURCE_DIR)/LICENSE $(PKG_BUILD_DIR)/
	$(CP) $(SOURCE_DIR)/src/cgi $(PKG_BUILD_DIR)/src/
endef
endif

define Build/Configure
endef

define Build/Compile
	$(TARGET_CC) $(TARGET_CFLAGS) $(TARGET_LDFLAGS) -std=c99 -Wall -Wextra \
		-o $(PKG_BUILD_DIR)/sms_cgi $(PKG_BUILD_DIR)/src/cgi/sms_cgi.c
endef

# serialport's binding by Node's name for the processor, and what it has in front of `musl`.
SMS_GATEWAY_CPU:=$(if $(filter x86_64,$(ARCH)),x64,$(if $(filter aarch64,$(ARCH)),arm64,$(if $(filter arm,$(ARCH)),arm)))
SMS_GATEWAY_BINDING:=$(if $(filter aarch64,$(ARCH)),armv8.musl,$(if $(filter arm,$(ARCH)),armv7.musl,musl))

define Package/sms-gateway/install
	$(INSTALL_DIR) $(1)/usr/lib/sms-gateway $(1)/usr/bin $(1)/www/cgi-bin
	$(CP) $(PKG_BUILD_DIR)/dist/* $(1)/usr/lib/sms-gateway/
	rm -rf $(addprefix $(1)/usr/lib/sms-gateway/,prebuilds www simulator.js)
	chmod 0755 $(1)/usr/lib/sms-gateway/main.js $(1)/usr/lib/sms-gateway/smsgw.js
	$(if $(SMS_GATEWAY_CPU), \
		$(INSTALL_DIR) $(1)/usr/lib/sms-gateway/prebuilds/linux-$(SMS_GATEWAY_CPU); \
		$(INSTALL_DATA) \
			$(PKG_BUILD_DIR)/dist/prebuilds/linux-$(SMS_GATEWAY_CPU)/*$(SMS_GATEWAY_BINDING).node \
			$(1)/usr/lib/sms-gateway/prebuilds/linux-$(SMS_GATEWAY_CPU)/)
	$(INSTALL_BIN) $(PKG_BUILD_DIR)/sms_cgi $(1)/usr/lib/sms-gateway/sms_cgi
	$(CP) $(PKG_BUILD_DIR)/files/usr/lib/sms-gateway/* $(1)/usr/lib/sms-gateway/
	$(LN) ../lib/sms-gateway/smsgw.js $(1)/usr/bin/smsgw
	$(foreach name,sms_list sms_read sms_send sms_total sms_delete, \
		$(LN) /usr/lib/sms-gateway/sms_cgi $(1)/www/cgi-bin/$(name);)
	$(INSTALL_DIR) $(1)/usr/sbin $(1)/usr/share/acl.d $(1)/etc/config $(1)/etc/init.d $(1)/etc/uci-defaults \
		$(1)/etc/capabilities $(1)/etc/hotplug.d
	$(INSTALL_BIN) $(PKG_BUILD_DIR)/files/usr/sbin/sms_gateway $(1)/usr/sbin/sms_gateway
	$(foreach name,sms_gateway sms_gateway_read sms_gateway_send, \
		$(INSTALL_DATA) $(PKG_BUILD_DIR)/files/usr/share/acl.d/$(name).json $(1)/usr/share/acl.d/;)
	$(INSTALL_CONF) $(PKG_BUILD_DIR)/files/etc/config/sms_gateway $(1)/etc/config/sms_gateway
	$(INSTALL_BIN) $(PKG_BUILD_DIR)/init.d/sms_gateway $(1)/etc/init.d/sms_gateway
	$(INSTALL_BIN) $(PKG_BUILD_DIR)/uci-defaults/99-sms_gateway $(1)/etc/uci-defaults/99-sms_gateway
	$(INSTALL_DATA) $(PKG_BUILD_DIR)/files/etc/capabilities/sms_gateway.json $(1)/etc/capabilities/
	$(CP) $(PKG_BUILD_DIR)/files/etc/hotplug.d/* $(1)/etc/hotplug.d/
endef

define Package/luci-app-sms-gateway/install
	$(INSTALL_DIR) $(1)/www $(1)/usr/share
	$(CP) $(PKG_BUILD_DIR)/files/www/* $(1)/www/
	$(CP) $(PKG_BUILD_DIR)/files/usr/share/luci $(PKG_BUILD_DIR)/files/usr/share/rpcd $(1)/usr/share/
endef

# ubusd learns what the service may publish. Not while an image is built.
define Package/sms-gateway/postinst
#!/bin/sh
[ -n "$${IPKG_INSTROOT}" ] || killall -q -HUP ubusd
exit 0
endef

# rpcd learns who may see the pages, LuCI that there are some.
define Package/luci-app-sms-gateway/postinst
#!/bin/sh
[ -n "$${IPKG_INSTROOT}" ] || {
	[ ! -x /etc/init.d/rpcd ] || /etc/init.d/rpcd reload
	rm -rf /tmp/luci-indexcache* /tmp/luci-modulecache
}
exit 0
endef

$(eval $(call BuildPackage,sms-gateway))
$(eval $(call BuildPackage,luci-app-sms-gateway))
