# 寫給賣家看的：物流或平台帳號出了問題，怎麼解決。
cure-signature = 簽章不對。請核對帳號的金鑰（key、checkword 或 secret）是否與對方後台一致，注意前後空格。
cure-not-authorized = 帳號沒有這個介面的權限。請到對方後台開通，或檢查應用程式是否已審核通過。
cure-quota-spent = 帳號的額度已用完或已欠費。請到對方後台續費，或等額度重置。
cure-carrier-code = 對方不認得這個物流公司代碼。請檢查該單號的物流公司是否選對。
cure-ip-list = 對方拒絕了伺服器的 IP 位址。請把本機的對外 IP 加入對方後台的白名單。
cure-settings = 帳號的設定不完整或填錯了。請對照文件檢查 yishi.toml 中這個帳號的各項設定。
cure-token = 存取權杖無效或已過期，自動更新沒有成功。請重新授權，或檢查 appid 和 secret。
cure-credentials = 對方表示帳號或金鑰不對。請核對帳號的各個金鑰（key、checkword 等）是否與對方後台一致，注意前後空格。
cure-permission = 帳號沒有這個介面的權限。請到對方後台開通，或檢查是否已審核、認證通過。
cure-quota = 帳號的額度已用完或已欠費。請到對方後台續費，或等額度重置。
cure-allowed-address = 對方拒絕了伺服器的 IP 位址。請把本機的對外 IP 加入對方後台的白名單。
cure-appid = appid 不對。請核對 yishi.toml 中的 appid 與公眾平台後台是否一致。
cure-appsecret = appsecret 不對或已重置。請到公眾平台後台重新取得，並更新設定。
cure-aes-key = 訊息加解密金鑰（EncodingAESKey）缺少或不對，應為 43 個字元。請與公眾平台後台核對。
cure-account-blocked = 帳號或介面被平台封鎖。請登入公眾平台查看原因並申訴。
cure-template = 範本訊息的範本編號不對。請核對後台的範本 ID。
cure-polling-conflict = 另一個程式也在用這個機器人收訊息。請停掉它，或改用 webhook。
