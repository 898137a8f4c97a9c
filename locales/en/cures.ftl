# For the merchant: what to do when an account at a carrier or platform refuses us.
cure-signature = The signature is wrong. Check that the account’s secret (key, checkword or secret) matches the one in their console, without stray spaces.
cure-not-authorized = The account may not use this interface. Enable it in their console, or check that the app has been approved.
cure-quota-spent = The account’s quota or balance is used up. Top it up in their console, or wait until it resets.
cure-carrier-code = They don’t know this carrier code. Check that the right carrier is set for the number.
cure-ip-list = They refuse this server’s IP address. Add its public address to the allow list in their console.
cure-settings = The account’s settings are incomplete or wrong. Check each of them in yishi.toml against the documentation.
cure-token = The access token is invalid or has expired, and renewing it failed. Authorize again, or check appid and secret.
