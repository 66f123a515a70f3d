/**
 * One whole version of the page: it is fetched with the hash of every file, all or none, kept under the version's name, and from then
 * on answers before the network does. So the page opens without a network, and never mixes two versions. A newer one is installed
 * beside it, and takes over when the last tab is gone or the person says so. A relay's /v1 is never touched; messages live in IndexedDB.
 */
const VERSION = "5897c90934954f00";
const FILES = {
  "/app.js": "sha256-Kd64aNfeqw8VXoPdAyKxp1gmFxQ6c9Onqcgx04PDZ14=",
  "/client.js": "sha256-sB0MEQk4Pdgx3q8dzO36NmNS1KhkdqRNLasC7iYrk8c=",
  "/device/hashes.js": "sha256-KpQq6QHMuY7UDuBnMeAM36WwwRaQpHN93rcL2MZJptE=",
  "/device/notices.js": "sha256-+i1SR7dgjRf/c7V/YeoeFYLLyLcDoOSy3sVZXSB6hrs=",
  "/device/notifications.js": "sha256-ZSIbtdiWC1UEBp4YQXoSVolH55htSaOWu514DfPwpKA=",
  "/device/persistence.js": "sha256-VAF45lMnXKHOTnrDzyZVR9IJE7MTypK9wGY7/fCgLkY=",
  "/device/service-worker.js": "sha256-TOHEWF+/hba8aUFqcxUb0gbTkoJ97l4J8BhUopPDulA=",
  "/device/sound.js": "sha256-BWAM5Ws7QztHxnoGtwMaNVoMCJls6dW95WzClibLZBM=",
  "/device/tabs.js": "sha256-2XWyWfrLHOJ53mlWaWgog9LSM0aLGhe15PrAkd1T6Mw=",
  "/device/waking.js": "sha256-7lmR4nwFXsdKaFWK8fc9aGKlMPANQzjFExSMzW5A54I=",
  "/guest.js": "sha256-6dLauH/59f0FSB6LEDQSVFuafwjhz/eoAha6diyH2pw=",
  "/icons/apple-touch-icon.png": "sha256-Cfnbt8EzfQgmgCbbEDm9GLBbDPULiOpRjLy9I1Fh2lY=",
  "/icons/icon-192.png": "sha256-6f322iQZR/QVcV0WlTu5RYx1vpjfNrSl8v9HTwWYcmY=",
  "/icons/icon-512.png": "sha256-qONdu8bKG7LMv5AdJt268NB6BJ7PE2RucF2M/fuEMAY=",
  "/icons/icon-maskable-512.png": "sha256-CplWW8HKDEaeJoQCmhRB929HWWx9fi6QEIDR3Bf5V24=",
  "/icons/icon-maskable.svg": "sha256-w/sz9wPOW///GdfCIqK4fQXO1DrFk0P9+6cH3uS5kfw=",
  "/icons/icon.svg": "sha256-vTkctUp3byJ25J0jvpJEkR441IAb379yjZw96awfca8=",
  "/index.html": "sha256-bWV6OoZHfcicT0WEgU4L8qxRBcP5gmXF6j/yGonIaSQ=",
  "/mail/arrivals.js": "sha256-yXWZsIgSkHgzszBIUG5sUt8YsSk3rqu5ptYpk+AJRU0=",
  "/mail/changes.js": "sha256-47Y9Xzy2xSnn6Wn81DLCOCJQAzkqftVJcjYFm/2kEWM=",
  "/mail/contents.js": "sha256-qp8Js81EHeu6Og/z/3N+wHC/L09B2DBcewdEVBiDZIs=",
  "/mail/delivery.js": "sha256-DJeGufsyJ+SNxLohzbHEwSsmGpauctXXT0Zbu+rkrsI=",
  "/mail/erasure.js": "sha256-D6tFv7HCMIKj1hs6beR1Xt4RUGLgM1z4wsZrhkgSvjY=",
  "/mail/inbox.js": "sha256-i/39rUUMfLa3wt9YG8+tehWlrvmcj4ls4bjhQNHMsEE=",
  "/mail/outbox.js": "sha256-5qW4MYH78guY/69w9mH8M1KZYnX+yJJP9T0DnE6c6y8=",
  "/mail/page.js": "sha256-VYJJzgnlJucHwY/9H+7UnnZcUzAdQJnJfgOvfP2ixJE=",
  "/mail/posts.js": "sha256-JR9iDBu3J2KsdPGMQ6V6qJpPvNTvkMhlvBgLYcjckt4=",
  "/mail/queue.js": "sha256-dReIT6t29AwSyxNx7oS20nK4MQzU26NkDVJyhV9uFA0=",
  "/mail/receipts.js": "sha256-QnHOUPFZ4Q6AMMiDlsahcjDsVRS6c7lQPoDYZXyMK1Y=",
  "/mail/references.js": "sha256-IgZgwEEQ/xq0aIEk4eT1xa7fjvfc6ADrhBuY0HxqNcc=",
  "/mail/sealing.js": "sha256-AhIzUPWWnCDejZ/97z+I2bcHXWXmTAdSJiA9iRYWYHI=",
  "/mail/strangers.js": "sha256-ezZLPpKD3MP7Q19+UIdnaHDS+8BtzR8xw7GHmTsnHmU=",
  "/mail/sweeper.js": "sha256-t+bWw49vyu+Za5MGD7FKK5/TD4SgBrLPTCpM0AT4cNI=",
  "/mail/taking-back.js": "sha256-DqUi8l23tVu1ncbAmXaHJ9pAd2EmbHcQlPmaCC3ULTs=",
  "/mail/unsealing.js": "sha256-dMX6eXHkmcypcX0q4sA8MpGSEXD1Ac9JUpiJREQZIbM=",
  "/manifest.webmanifest": "sha256-6ruN2zIglmXbUIINQzvzO1VYWTFpuk9Z9lQbmPkijrw=",
  "/protocol/address.js": "sha256-uoj1ZYCumtb9etgyoyG+iI3ca1ZXbU5D8+dVqy6PoHs=",
  "/protocol/content.js": "sha256-WBJMdZsP41umnZXjylDDq+H9P2KW4VOwVGVdH9BePXU=",
  "/protocol/crypto.js": "sha256-YuvsK1/GbLnsfxyUszkkmX96Yoi9ziTzi7jJhModB0w=",
  "/protocol/devices.js": "sha256-3JKHHd2/zQpW4oH7Pr4YmFdbH4MqMxXZ+Pvu21x1L2s=",
  "/protocol/encoding.js": "sha256-VWxwEx2/EU6NXpYCLenF49nfIM98b9oPAlBoWpKG7oA=",
  "/protocol/envelope.js": "sha256-1nZp9mWWy2iY61gvVc1vAbldcymSU776EEt0PSc3zfY=",
  "/protocol/envelope2.js": "sha256-gp/kPnBGEMNjleYYO48Yb+uwj8juVE81q+QKl0oOytQ=",
  "/protocol/errors.js": "sha256-8C8T8UQ+G/oDVbkZCNd+diZVAw7Bk+VSRqfq8o9IRlE=",
  "/protocol/excerpt.js": "sha256-EgJP1/65c0V/plXgs+XGVdSsMJQZgkj4aZzjADHkCIw=",
  "/protocol/fold.js": "sha256-KERA0VGZWU26tk/kYZfFGDWrcaS2dUajHNneWmbDxnM=",
  "/protocol/format.js": "sha256-nLmlsaYUeKuKo/pfN1T0cF9WBpnzt+CnmJz5bGalfoc=",
  "/protocol/invite.js": "sha256-Pz+YcQ55v7Ye/8OtJILzx+9krfkiWhESJz4rvu5jLL8=",
  "/protocol/kdf.js": "sha256-3mGwW3MrSL8iaSxXluR92/D5M6IbHSOEXG8qVfqBDwc=",
  "/protocol/links.js": "sha256-pdL5CmbwEOD6dlUfPebr0NT1TBeO2VnWfA6UoB/G8gg=",
  "/protocol/marks.js": "sha256-d+5TpYOXWIfM4NqQmfjVJXZlhJOYgrzqsjXtwyOPrjY=",
  "/protocol/names.js": "sha256-2ffncKrYcVb2DZyLi7BFe9z5cPPFULORry2wCMo4uCU=",
  "/protocol/order.js": "sha256-lBLvuVzVf5g4cgzTJiJ4Q+tjyVqbindTl8flYLq+39w=",
  "/protocol/passphrase.js": "sha256-cDz6ICFcVAFEca44gNleXRE+eOSDji544AjRnxPZPBw=",
  "/protocol/safety.js": "sha256-JFESLtEoyO74QTxlCGTIVdPAmRmw/ynjRk6NlQX0D1U=",
  "/relay/api.js": "sha256-rQpu8RnU+4fwtQnEdwqzeug6Hne6qFx0Yy2Qhj/CUKI=",
  "/relay/backoff.js": "sha256-6yNyyiYc74fh9279IUd2Gzwwj7X0Q5rBdEU17wpQl30=",
  "/relay/connection.js": "sha256-nbGePFHvUMl3AiOl/8CZNxMNzTdCtcHICaQbea4CBYk=",
  "/relay/contacts.js": "sha256-yMNCocYEUtIj+iDuP2RLnoMN7TuO6TZ7Qh3Nwl7vbew=",
  "/relay/doubt.js": "sha256-xQ5vH2/4wfMg+UkXuNYKpVunb8mFsXcZgFEMr8ytigk=",
  "/relay/http.js": "sha256-pTkbbjcWmEDj546HfDyLO7/YaO7uJdGrxgEQpoONiVQ=",
  "/relay/membership.js": "sha256-G726nMzasvEPeWSYLxgaTkNYdyouYoJ1n3Uk+eKNC1M=",
  "/relay/push.js": "sha256-SmNPg53Lzim8Yw4VyLPjECkqt0u4aDfBpeR7ftekMII=",
  "/relay/registration.js": "sha256-Ya+B9ndTNcLkaQC6Sga8OLwiV9kxF/FMa66Hms8NQLU=",
  "/relay/relays.js": "sha256-ySZqTE/jdK5OMpuvdV3zdzSmcsc06XMO2lATo83DNyM=",
  "/relay/session.js": "sha256-/pJTj4tTNdyJsqrIcK99KhtbKPoLBpbbXGv6/4xOumo=",
  "/relay/sessions.js": "sha256-SX2GKkJtmYEbb6yntviZ4dyOZ6EwAqbhcH7mp64IPaE=",
  "/relay/tokens.js": "sha256-cV7Jem2TvrfV6PJhX+jPGjwWelwCjw0BNCokFPywllE=",
  "/store/backup-content.js": "sha256-++W6f31RBakWGxepQzBp8zU1BGVTGA00LflqkJ+JlkM=",
  "/store/backup-shape.js": "sha256-o3MK8zTE21C1hauKOyFxveLLIbXfeoyNLPixAyCwoPc=",
  "/store/backup.js": "sha256-IN31bGSgNBEdmPV0WdBZio27M/r5bTmUDGkTGNnlrWs=",
  "/store/database.js": "sha256-WwIBIDRGNyhtEJvtNo41dFBgq15p+6aWgDuFFtGyAdk=",
  "/store/drafts.js": "sha256-B9exS+zePhgmIUxqzul9CFY4WsHmJrTpjq/VPequX4Q=",
  "/store/history.js": "sha256-+MUqX6xvSdZ55Gnv8XSo2HwDa0EPD8shx+y8mnLLsUE=",
  "/store/identity.js": "sha256-MWrN8OAlmOrJ6oTPdfHJPd0GiFIiPOcmuNBCpbMVXrI=",
  "/store/legacy.js": "sha256-UVfUqWDsxImRyrc3MXCD3oSB1Dz8VoYl48pWXvWkz94=",
  "/store/lost.js": "sha256-hIpmWzG8Tfzg5hgMG01UI6NIYUvWAqzbL5IEhllHaMU=",
  "/store/mark.js": "sha256-jSx6KAGfJRWMhWtnFYS/BF2FPkxv7URAtP0d/fRG6O4=",
  "/store/messages.js": "sha256-dPOWv8q1KUopcVhpGjaE3NfUZgTnbnwf9XDJC6Fc/HQ=",
  "/store/moved-relay.js": "sha256-MQ4TLfjtHvrzEL6sZNLVKloOlI7AyEH7AEld2P+//fM=",
  "/store/namesakes.js": "sha256-Qv05ixWO2h1GSE5vFMid8oYXEU+PEFIT3MQ/qLkzPNs=",
  "/store/removal.js": "sha256-X0xAoglfay9D8OKryjsVvELK9T3+q737xumISYtmgdg=",
  "/store/requests.js": "sha256-Gc1G5y4Ho/DJfMdlZaYAyowN+GxOgZnTxwjBYqWnaX8=",
  "/store/room.js": "sha256-P+COQHu7TNrQQAMPURrW5BJ3x2uuSqhnSWI5ygOsVQg=",
  "/store/schema.js": "sha256-4AZElXd8FbK90Mrj74vlhCljRDQjhpZJIAA1/Y8oyKA=",
  "/store/search.js": "sha256-5SaQFpOROFrkuzLEH+wl3urVc6DJlAueMcIR8Xzgaao=",
  "/store/sessions.js": "sha256-U3dbzcmj1ZKFJIfmJ8Lj5RVzjY84Zo8BeXr9VY5PxL0=",
  "/store/settings.js": "sha256-vFlt2fdeA6Q7ba7KBBkScWr4yW3p0KTT1y/avJVTemU=",
  "/store/shared-events.js": "sha256-ASFmRXnakophV46rO+MD8UNN9jAs5jA10PWQgdvwYUA=",
  "/store/storage-states.js": "sha256-QifUYYl+MXTg/Ba8fl/FiGiTb7LVLOw/9okR0G9J+lM=",
  "/store/store.js": "sha256-S1/E3nWLoASQ+jhBWSZlwC7T2qakRgcJwpC97MZPa+Y=",
  "/store/taken-over.js": "sha256-Ougj2c3vzlYlZwb7AoslHsOAX9s/W7ikHJhOV2Rx+mw=",
  "/store/web-storage.js": "sha256-NEB3w5aYRKgwLxIgKkgSkeqgApcZQHbR6JF5y7i3hl8=",
  "/style.css": "sha256-cmRRGO1NAHPYyON7w0VcXBv+TmhAreR/utpWhKw7EqE=",
  "/theme.js": "sha256-UhCKos81Saq35Ypq8DNftXXwJify1nCuaR6VpH3Lf7U=",
  "/vendor/LICENSE.lean-qr": "sha256-3Gcrgp4FTWwQLah3bTJ/JvJ+3B+IdAwYeKfKW5902nM=",
  "/vendor/LICENSE.noble-hashes": "sha256-TyIa7m4HIzZwDECMaKs7lqP8Cfauvm9I8b2Z5e8T+uw=",
  "/vendor/LICENSE.scure-bip39": "sha256-FWXv0OxFgL+qlsfuqqmvN5G6ocxWLDveYtCgVZELnsc=",
  "/vendor/LICENSE.tweetnacl": "sha256-iNm062BXnBkew5HKBMFhMFctfu3EqG2qWL8oxuFMm80=",
  "/vendor/README.md": "sha256-QzHIAWlFmtBb+RTBLtEr3ucWfUZDi04xABHE48Hj9Lg=",
  "/vendor/bip39-english.js": "sha256-2HpS67CU0WZxdpHmJK6jobzUXdBObHdI6O23rhDzxFg=",
  "/vendor/lean-qr.mjs": "sha256-DOQc1vkswjzwV6Hffhs4dnZ9Z4Zl3WWvTh0itPrZZ9w=",
  "/vendor/nacl-fast.min.js": "sha256-PsU1wASu6yJXhdjpP7M7+Z9S45m9ffwBlptWKbrqUTE=",
  "/vendor/noble-hashes/_md.js": "sha256-YM8wEP2onj5NPw5/8c4knpxGfzS0/UG2/WEB2fab52M=",
  "/vendor/noble-hashes/_u64.js": "sha256-sJ2owH/oGHwHZJSUzbfNC88T35C1BqlHPRnk1fjC4QI=",
  "/vendor/noble-hashes/hmac.js": "sha256-/sn4867aeF6i3pHMTAWdVO+YGWJhwCbEP0g0EAeuUsk=",
  "/vendor/noble-hashes/pbkdf2.js": "sha256-YrdbVGWomvBSqAvevn4Dg7oBZIsS9kh3zihaLpiWxxM=",
  "/vendor/noble-hashes/scrypt.js": "sha256-o4oCBiB3b6XFfADxUb3BAzwZKCfJ2EGZbarykSLqgsE=",
  "/vendor/noble-hashes/sha2.js": "sha256-RxdGu6bsTGI4ykE1jR07QLb/Mc8zY/C01VDGScGo6Ds=",
  "/vendor/noble-hashes/utils.js": "sha256-A3rUmtt4FotraZWY/TP4X3h3RWsdKLTQMuKhoWgHlHw=",
  "/version.js": "sha256-3OCbqM5hIPyn2RUNlIovm3KmH6RMa1mCrAeszfxzf1Y=",
  "/views/about-view.js": "sha256-8rToNIPfs0Wv3W9ac5tqtfDDcV0G32Zo1u+WHvVJPyw=",
  "/views/announcer.js": "sha256-5MdPUbM02ViqwaV46WYaIPDePF57X5t2AKn/UhB3dyA=",
  "/views/answering.js": "sha256-plreB4qATzDrfyxPAXafiigHPaUkOhIU6cNvMRV3KQQ=",
  "/views/blocked-view.js": "sha256-X+Vgff4I3cVXbKDV/MOAM8EnecyjiyRhAtDmkaEuKow=",
  "/views/bounded-field.js": "sha256-wZ4KVPIwyHMa0VRYHNgrVJsKEFEPPi8EngDI3YWogoU=",
  "/views/bubble.js": "sha256-o4u99Ogr9umGdkxeMzLfPXF+zU+zuxnSwszwVzL/CGQ=",
  "/views/chat-search.js": "sha256-OAfRJ4RK35GwNgCXCXE9hZoAgS6buwxLZl7qXCqDSvg=",
  "/views/chats-view.js": "sha256-quHUSiShIDSSQ9sagDbyyRPp4DrPsDzn9pGq0x7smkY=",
  "/views/composer-view.js": "sha256-lIV3iGIlyP+kO14IOwlgj2G2YvJ2Hp2TXku2tlgjwkM=",
  "/views/contact-view.js": "sha256-Wx/kGvjaJAba3MR8aW5S25PWym+no5S7pNrBsLgMphI=",
  "/views/contact.css": "sha256-OYmy++SLJes0dWAS8LlESCQPe/QvUZBYY5ZCpiPvshA=",
  "/views/dialogs.js": "sha256-YEY+bkrKOx8Pm1tX10gPXfwybo+yI5yjice768eTqSE=",
  "/views/dom.js": "sha256-g0DcPLTpZGbaCRWW4rHOE6zSzgsp/8oq6mw8kkSPnLQ=",
  "/views/export-view.js": "sha256-C0f3+a6rtv9eSFN2ZlAUmQPbBkqgy84GA8wWGYyL5C0=",
  "/views/forward-view.js": "sha256-KzeuupEMX3BaJ2yfItyYejU2gSCMjLWQNHHPqHUDUPU=",
  "/views/guest-view.js": "sha256-h4u5474RFOsG768gVBKN3lvisX3J8kIuZfGUsNu3BT4=",
  "/views/identity-view.js": "sha256-Cq+gEoHTi9QymM0IP3cBHSQGX6UevQx6SNutVvEO7s0=",
  "/views/import-view.js": "sha256-SkmrhbqrBOFGih5fxmXH+PoSgWTqsSlEsx4VPVa+Wi0=",
  "/views/keyboard.js": "sha256-wOT/xBQCStOeEl8kGL52NSQ8oyCQ8vzxQhhxonWIDJA=",
  "/views/keys-view.js": "sha256-HVOxwjeoz/BNUb+7XP3Yv6oaG+X5aJTLnzMh+u74P1Y=",
  "/views/library-view.js": "sha256-/jOuEbkGV1ZZ6XYfat2oM/W1Qp32AWbL327fM/MhP0w=",
  "/views/list-search.js": "sha256-xRy9FBTWf57NJ//KNJsOcepDYDdVikji/LdszLQIAF4=",
  "/views/list.css": "sha256-Q5cIjqSIrjn9rxXPy9XChYOj9t5r45sfDFDTH6olNCM=",
  "/views/lost-view.js": "sha256-ZXpXv/rAGvE3u19YgkrkN5Sp9q+KPtgFpXgjvkRJVKI=",
  "/views/message-actions.js": "sha256-y03kw+mnX5Db2R3mQdVN1vKjLK2SVUTqCs7kFNGxnv0=",
  "/views/message-extras.js": "sha256-JQlCgOgviDppbdwaSQSDLXKcqptOgUAUPrEkS0udcRQ=",
  "/views/message-info.js": "sha256-BlVQ9+fOBEP0MWxeazeOsiStXy7fDAMnhebcBWTt+0U=",
  "/views/message-menu.js": "sha256-QXMzL6DdG060O5xP11cyA14TDnOT+Amgq4nMuDbvQ5w=",
  "/views/message-row.js": "sha256-lYcjH2UoCl5UnIze2f/4o8Y05z0SEKMU2aYgrRVl90M=",
  "/views/message-window.js": "sha256-+NfaxjMmr3dKt8MQWSg9jEYDFQUpWhQpiP3Zs3fJn2U=",
  "/views/my-name-view.js": "sha256-FmZpiy7dyuI5JjbxHZzi2Bh5Ge4iLIAbmkCkdolbeNo=",
  "/views/newchat-view.js": "sha256-GVqeQew8D0XNy41GbhUJ9K8GFE7pTlg/tvZmPf5UlAU=",
  "/views/open-chat.js": "sha256-14bDRjsJBCUV7BOtEnmaQtBbXwuS42lnAxNC+2czODY=",
  "/views/pages.css": "sha256-ThmdC5YeTR2tdf8ZB971ovYC/BYAX7SFelgC9MxuZB8=",
  "/views/progress.js": "sha256-JVavf6OXDv0WDy8f5ETh+BgUU4ttOs8S9B8aE3O+PQo=",
  "/views/qr.js": "sha256-/qBbSgj+Y/DjLb3Tjg4lTW/uWXvgpHdF/J2hp6dWw/Q=",
  "/views/questions.js": "sha256-z9SR55xiGjZYX1f7Z/R7yNUcASg4pO9yGopwKthyNn0=",
  "/views/react-view.js": "sha256-joLr5uMITj8FL4n9DqfWXORlfFh9hKMWPvvk9F1WQrA=",
  "/views/relay-questions.js": "sha256-Ss64hqKdVwFnYjqz19if18Jg1VE/5qjaLARSjonViL4=",
  "/views/relay-states.js": "sha256-ZjbJhQ390LCoWrUhlalUS+fA/qcIX8Kr5J0ajwVe+wI=",
  "/views/router.js": "sha256-8qNqPIvDNsKDjBsmrCxFN1P6ya1lCYNI1xV80Amz/bg=",
  "/views/scan.js": "sha256-1RBURTwbboBwXa6hZZujI8q80iVFd6WjRplZK2NUUrk=",
  "/views/server-view.js": "sha256-rnzRmrVKFgOQaqoT13xuUWQbcCIzc8oSZjnMzfx0BeU=",
  "/views/settings-view.js": "sha256-MJueaA1v/qOtEE0IUbotBcRO0PdOfbyKsU6AVnEwPYk=",
  "/views/shell-view.js": "sha256-v8AG+9qrof07CmzXQC/RDeeizj/LZTOH1oQpyKO4Aec=",
  "/views/status-view.js": "sha256-R9kpXSMJ04JyqCXgXyLqV7tOf2ac8FtNWPOvNfTANJk=",
  "/views/storage-view.js": "sha256-l6ddEPrKjmVhccJ3aWipdfkDYcaHZ8i7qMIgx2OfQZE=",
  "/views/thread-row.js": "sha256-1qSsfyb7BPofzsHgES672jwuzBZJe+cF6MOtNS1XVm8=",
  "/views/thread-rows.js": "sha256-TAIVvve3g90ba0e2czpJltQ9WUPquMVB4SI9gNwhXug=",
  "/views/thread-view.js": "sha256-Xy/gMLr02KTz/4qOt1oIHAiLXgKtCYS52RTH3yw3AkM=",
  "/views/thread.css": "sha256-CDm42qyz/Pfat27232Rs5iA8Cc19wqOVap8BzlNBl3A=",
  "/views/threads-view.js": "sha256-emPGdlllXdoIwBnXKVkkTNLUBAA5QD0YrRFjjcsTa6Y=",
  "/views/toast.js": "sha256-w9RyYIx6W5V+KohK7WpxsQO+xrsn62xGePXybOU2Wao=",
  "/views/today.js": "sha256-VBDuvzdCzox/PXDEbgdGCZcKQnZakJcnuqU4FzuAIos=",
  "/watch.js": "sha256-bSpcQ/iuNH4RfBZsF6tC/eozpHx13fH4rTFfwr5leLw=",
  "/worker.js": "sha256-yp5BaSw60TU6H31baoPldTzqYQqB+5G14aoZUppEubM="
};

const PREFIX = "io3233-";
const CACHE = PREFIX + VERSION;
const PAGE = "/index.html";
const VIEWS = ["/", "/newchat", "/chats", "/server", "/keys", "/library", "/about", "/me"];
/** What version 1.0.0 kept. Its pages fetch modules late and know no update: one that is still open gets them until it is reloaded. */
const FIRST_CACHE = "io3233-shell";
const FIRST_MODULE = /^\/[a-z-]+\.js$/;
const ANSWER_WITHIN_MS = 500;
const asked = new Set(); // ids of the pages that know of updates

self.addEventListener("install", (event) => event.waitUntil(keepAll()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("fetch", (event) => {
  const path = pathOf(event.request);
  if (path) event.respondWith(kept(path, event.request));
});
self.addEventListener("message", ({ data, source }) => {
  if (data.type === "take-over") self.skipWaiting();
  if (data.type !== "version") return;
  asked.add(source.id);
  source.postMessage({ type: "version", version: VERSION });
});
self.addEventListener("push", (event) => event.waitUntil(receivePush()));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openThread(event.notification.data));
});

/** worker.js reads the mail. Where it can't, or the browser knows no modules here, this much is true. */
async function receivePush() {
  if (await self.readMail?.()) return;
  await self.registration.showNotification("io3233", { body: "You have new messages", tag: "unread", icon: "/icons/icon-192.png", data: { counts: {} } });
}

/** All files or none: `integrity` refuses what a proxy altered or put in their place, and an error ends the installation. */
async function keepAll() {
  const cache = await caches.open(CACHE);
  const known = new Set((await cache.keys()).map(({ url }) => new URL(url).pathname));
  const answers = await Promise.all(Object.entries(FILES).filter(([path]) => !known.has(path)).map(fetchFile));
  await Promise.all(answers.map(([path, answer]) => cache.put(path, answer)));
}

/** With `integrity` it resolves when the whole file is here and is the right one. The browser's own cache gives what has not changed. */
async function fetchFile([path, integrity]) {
  return [path, await fetch(path, { integrity, cache: "no-cache" })];
}

async function takeOver() {
  await self.clients.claim();
  const tabs = await self.clients.matchAll({ type: "window" });
  const needed = [CACHE, ...(tabs.every(({ id }) => asked.has(id)) ? [] : [FIRST_CACHE])];
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && !needed.includes(name)) await caches.delete(name);
}

/** The kept file that answers a request, or null for what is none of ours. Every view is index.html. */
function pathOf(request) {
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return null;
  if (request.mode === "navigate") return VIEWS.includes(url.pathname) ? PAGE : null;
  return url.pathname in FILES || FIRST_MODULE.test(url.pathname) ? url.pathname : null;
}

/** From the network only where the browser threw the kept copy away; the page's own hashes then refuse a mixture. */
async function kept(path, request) {
  const cacheName = path in FILES ? CACHE : FIRST_CACHE;
  return (await caches.match(path, { cacheName })) ?? fetch(request);
}

/**
 * Opens the thread of a notification's latest message: in a tab that shows a view and answers, for one that still loads, or is frozen,
 * would lose it, and else in a new one. A click allows one window to be opened or to come to the front, and only soon after it.
 */
async function openThread({ counts }) {
  const fingerprint = Object.keys(counts).at(-1);
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const tabs = windows.filter(({ url }) => VIEWS.includes(new URL(url).pathname)).sort((a, b) => b.focused - a.focused);
  const answers = await Promise.all(tabs.map(isHere));
  const tab = tabs.find((_, index) => answers[index]);
  if (!tab) return self.clients.openWindow(fingerprint ? `/chats#chat=${fingerprint}` : "/chats");
  if (fingerprint) tab.postMessage({ type: "open-thread", fingerprint });
  return tab.focus();
}

function isHere(tab) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => resolve(true);
    setTimeout(resolve, ANSWER_WITHIN_MS, false);
    tab.postMessage({ type: "who-opens" }, [port2]);
  });
}
