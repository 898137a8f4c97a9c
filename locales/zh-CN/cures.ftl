# 写给商家看的：快递或平台账号出了问题，怎么解决。
cure-signature = 签名不对。请核对账号的密钥（key、checkword 或 secret）是否与对方后台一致，注意前后空格。
cure-not-authorized = 账号没有这个接口的权限。请到对方后台开通，或检查应用是否已审核通过。
cure-quota-spent = 账号的额度已用完或已欠费。请到对方后台续费，或等额度重置。
cure-carrier-code = 对方不认识这个快递公司代码。请检查该单号的快递公司是否选对。
cure-ip-list = 对方拒绝了服务器的 IP 地址。请把本机的出口 IP 加入对方后台的白名单。
cure-settings = 账号的设置不完整或填错了。请对照文档检查 yishi.toml 中这个账号的各项。
cure-token = 访问令牌无效或已过期，自动刷新没有成功。请重新授权，或检查 appid 和 secret。
cure-credentials = 对方说账号或密钥不对。请核对账号的各个密钥（key、checkword 等）是否与对方后台一致，注意前后空格。
cure-permission = 账号没有这个接口的权限。请到对方后台开通，或检查是否已审核、认证通过。
cure-quota = 账号的额度已用完或已欠费。请到对方后台续费，或等额度重置。
cure-allowed-address = 对方拒绝了服务器的 IP 地址。请把本机的出口 IP 加入对方后台的白名单。
cure-appid = appid 不对。请核对 yishi.toml 中的 appid 与公众平台后台是否一致。
cure-appsecret = appsecret 不对或已重置。请到公众平台后台重新获取，并更新配置。
cure-aes-key = 消息加解密密钥（EncodingAESKey）缺失或不对，应为 43 个字符。请与公众平台后台核对。
cure-account-blocked = 账号或接口被平台封禁。请登录公众平台查看原因并申诉。
cure-template = 模板消息的模板编号不对。请核对后台的模板 ID。
cure-polling-conflict = 另一个程序也在用这个机器人收消息。请停掉它，或改用 webhook。
