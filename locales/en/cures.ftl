# For the merchant: what to do when an account at a carrier or platform refuses us.
cure-signature = The signature is wrong. Check that the account’s secret (key, checkword or secret) matches the one in their console, without stray spaces.
cure-not-authorized = The account may not use this interface. Enable it in their console, or check that the app has been approved.
cure-quota-spent = The account’s quota or balance is used up. Top it up in their console, or wait until it resets.
cure-carrier-code = They don’t know this carrier code. Check that the right carrier is set for the number.
cure-ip-list = They refuse this server’s IP address. Add its public address to the allow list in their console.
cure-settings = The account’s settings are incomplete or wrong. Check each of them in yishi.toml against the documentation.
cure-token = The access token is invalid or has expired, and renewing it failed. Authorize again, or check appid and secret.
cure-credentials = They say the account or its secret is wrong. Check that its secrets (key, checkword, …) match those in their console, without stray spaces.
cure-permission = The account may not use this interface. Enable it in their console, or check that the account has been approved.
cure-quota = The account’s quota or balance is used up. Top it up in their console, or wait until it resets.
cure-allowed-address = They refuse this server’s IP address. Add its public address to the allow list in their console.
cure-appid = The appid is wrong. Check that the one in yishi.toml matches the platform’s console.
cure-appsecret = The appsecret is wrong or was reset. Get it from the platform’s console and update the configuration.
cure-aes-key = The message key (EncodingAESKey) is missing or wrong; it has 43 characters. Compare it with the platform’s console.
cure-account-blocked = The platform has blocked the account or this interface. See the reason in its console and appeal.
cure-template = The message template’s id is wrong. Check the template’s id in the console.
cure-polling-conflict = Another program is receiving this bot’s messages. Stop it, or use a webhook.
