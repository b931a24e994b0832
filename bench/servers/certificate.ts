/** A key that is no secret, and its certificate for localhost: for the benchmarks alone. */
export function tlsOptions(): { readonly key: string; readonly cert: string } {
  return { key: KEY, cert: CERTIFICATE }
}

const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgiNgBFu0FIUzF7elC
IUOdmtaUN/xPjfKgX6j9nkirMZuhRANCAAQlhd/FbVmrAxp6CT3AJ+FlveNk4x7m
62n+G9F8qRjQ3ab2iZ7FbV2G/+6geF2Kiy8V0x+6jj2Fb8iIABC6hZff
-----END PRIVATE KEY-----
`

const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBpDCCAUugAwIBAgIUJeqM2lKkwS4kKtCCRkrbPoKijj8wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDIyMzYwMloYDzIxMjYxMDMx
MjIzNjAyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQlhd/FbVmrAxp6CT3AJ+FlveNk4x7m62n+G9F8qRjQ3ab2iZ7FbV2G
/+6geF2Kiy8V0x+6jj2Fb8iIABC6hZffo3kwdzAdBgNVHQ4EFgQUabwM3kXC+Sur
jfvlB4iSmiTYBtIwHwYDVR0jBBgwFoAUabwM3kXC+SurjfvlB4iSmiTYBtIwDwYD
VR0TAQH/BAUwAwEB/zAkBgNVHREEHTAbgglsb2NhbGhvc3SCCGFwcC50ZXN0hwR/
AAABMAoGCCqGSM49BAMCA0cAMEQCIFdcghshbv+YfPPbwtlBBfaDqT2Bb9q+OiPH
qMKQB736AiAK/nXnNI85alYzW5kNuhg/mAh4WbPB2v/VrAWBv5K0ng==
-----END CERTIFICATE-----
`
