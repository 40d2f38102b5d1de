# The template's orders out, as one would write it in jq. Numbers are floats there.
def said: if type == "string" and trim != "" then . else null end;
def first(a; b): if a != null then a else b end;
def cents: (. * 100 | round) / 100;
def set: with_entries(select(.value != null));
def lines: [splits("[\r\n]+") | trim | select(. != "")];
{"Activated": "awaiting_shipment", "Ready to Ship": "awaiting_shipment", "On Hold": "on_hold", "Cancelled": "cancelled"}[.Status] as $status
| select($status != null)
| (.ShippingAddress // {}) as $to
| ($to.street | said) as $street | ($to.city | said) as $city | ($to.postalCode | said) as $code | ($to.countryCode | said) as $country
| select($street != null and $city != null and $code != null and $country != null)
| {"US": "^[0-9]{5}(-[0-9]{4})?$", "GB": "^[A-Za-z0-9]+ [A-Za-z0-9]+$", "DE": "^[0-9]{5}$", "FR": "^[0-9]{5}$", "CA": "^[A-Za-z][0-9][A-Za-z] [0-9][A-Za-z][0-9]$",
   "AU": "^[0-9]{4}$", "IE": "^[A-Za-z][0-9][0-9] [A-Za-z0-9]{4}$", "JP": "^[0-9]{3}-[0-9]{4}$", "BR": "^[0-9]{5}-[0-9]{3}$"}[$country] as $form
| select($form != null and ($code | test($form)))
| first($to.stateCode | said; $to.state | said) as $written
| {"US/CA": "CA", "US/California": "CA", "US/NY": "NY", "US/New York": "NY", "US/Nev.": "NV", "CA/ON": "ON", "CA/Ontario": "ON", "AU/New South Wales": "NSW",
   "DE/Berlin": "BE", "JP/13": "13", "JP/Tokyo": "13", "BR/SP": "SP", "BR/São Paulo": "SP"}[$country + "/" + ($written // "")] as $state
| select($state != null or ($country != "US" and $country != "CA" and $country != "AU"))
| ((.BillToContact.Email | said) // "" | trim | ascii_downcase) as $email
| select($email == "" or ($email | test("^[^\\s@]+@[^\\s@]+\\.[^\\s@]+$")))
| .TotalAmount as $total
| select($total >= 0 and $total <= 20000)
| select(.Channel__c != "Wholesale" or .Brand__c != "South")
| (if .Channel__c == "Amazon" then [300101, 4401]
   elif .Region__c == "UK" or .Region__c == "EU" then [300102, 4411]
   elif .Priority__c == "High" and $total > 500 then [300103, 4421]
   else [300103, 4401] end) as [$store, $warehouse]
| {"KIT-CAMP": [["TENT-2P", 1, 0.60], ["BAG-DOWN", 2, 0.15], ["MAT-LITE", 2, 0.05]], "KIT-TEA": [["CUP-01", 4, 0.10], ["POT-01", 1, 0.60]]} as $kits
| {"TENT-2P": ["WH-1001", "CN", "630622"], "BAG-DOWN": ["WH-1002", "CN", "940430"], "MAT-LITE": ["WH-1003", "VN", "940429"],
   "CUP-01": ["01234", "GB", "691200"], "POT-01": ["WH-2002", "GB", "691200"], "LAMP-9": ["WH-3009", "DE", "940540"]} as $skus
| [(.OrderItems.records // [])[] | select(.Quantity > 0)] as $lines
| select(($lines | length) > 0 and all($lines[]; .Product2.ProductCode | said != null))
| (.Account.Name | said) as $company
| first(.ShipToContact.Phone | said; first(.BillToContact.Phone | said; .Account.Phone | said)) as $phone
| (.BillingAddress // $to) as $bill
| (.Shipping_Service__c | said) as $service
| {"Standard/US": ["stamps_com", "usps_priority_mail", "package"], "Standard/CA": ["ups", "ups_standard", "package"],
   "Standard/UK": ["royal_mail", "rm_tracked_48", "parcel"], "Standard/EU": ["dhl_express", "dhl_express_worldwide", "package"],
   "Expedited/US": ["ups", "ups_2nd_day_air", "package"], "Expedited/UK": ["royal_mail", "rm_tracked_24", "parcel"],
   "Expedited/EU": ["dhl_express", "dhl_express_worldwide", "package"], "Next Day/US": ["ups", "ups_next_day_air", "package"],
   "Next Day/UK": ["dhl_express", "dhl_express_1200", "package"], "Economy/US": ["stamps_com", "usps_ground_advantage", "package"],
   "International/US": ["fedex", "fedex_international_economy", "package"],
   "International/UK": ["dhl_express", "dhl_express_worldwide", "package"]}[($service // "Standard") + "/" + (.Region__c // "US")] as $preset
| {
    orderKey: ("sf-" + .Id), orderNumber: .OrderNumber, orderDate: (if (.EffectiveDate | said) then .EffectiveDate + "T00:00:00" else null end), orderStatus: $status,
    # In the zone that the environment names: jq knows no other.
    shipByDate: (if (.Ship_By__c | said) then (.Ship_By__c[:19] + "Z" | fromdateiso8601 | strflocaltime("%Y-%m-%dT%H:%M:%S"))
                 elif (.Requested_Ship_Date__c | said) then .Requested_Ship_Date__c + "T00:00:00" else null end),
    customerUsername: $company, customerEmail: (if $email == "" then null else $email end),
    billTo: (($bill.street // "" | lines) as $street | {
      name: first(.BillToContact.Name | said; $company), street1: $street[0], street2: $street[1], city: ($bill.city | said | if . then trim else . end),
      state: first($bill.stateCode | said; $bill.state | said), postalCode: ($bill.postalCode | said), country: ($bill.countryCode | said)
    } | set),
    shipTo: (($street | lines) as $street | {
      name: first(.ShipToContact.Name | said; $company), company: $company, street1: $street[0], street2: $street[1], street3: $street[2], city: ($city | trim),
      state: first($state; $written), postalCode: (if $country == "GB" then $code | ascii_upcase else $code end), country: ($country | ascii_upcase), phone: $phone
    } | set),
    items: [$lines[] | . as $line | .Product2 as $product | ($kits[$product.ProductCode] // [[$product.ProductCode, 1, 1]])[] | . as [$part, $count, $share] | {
      lineItemKey: $line.Id, sku: ($skus[$part][0] // $part), name: ($product.Name | said | if . then .[:200] | trim else . end),
      quantity: ($line.Quantity * $count | round), unitPrice: ($line.UnitPrice * $share | cents),
      weight: (if $kits[$product.ProductCode] == null and $product.Weight__c != null then {value: ($product.Weight__c * 1000), units: "grams"} else null end)
    } | set],
    amountPaid: ([$lines[] | .Quantity * .UnitPrice] | add | cents), taxAmount: .Tax_Amount__c, shippingAmount: .Shipping_Amount__c,
    weight: {value: (([$lines[] | .Quantity * (.Product2.Weight__c // 0)] | add) * 1000), units: "grams"},
    dimensions: (if .Package_Length__c != null and .Package_Width__c != null and .Package_Height__c != null
                 then {units: "inches", length: .Package_Length__c, width: .Package_Width__c, height: .Package_Height__c} else null end),
    requestedShippingService: $service, carrierCode: $preset[0], serviceCode: $preset[1], packageCode: $preset[2],
    confirmation: (if $total > 500 then "signature" else "delivery" end), customerNotes: (.Package_Notes__c | said), internalNotes: (.Description | said),
    gift: .Gift__c, giftMessage: (.Gift_Message__c | said),
    advancedOptions: ({storeId: $store, warehouseId: $warehouse, source: (.Channel__c | said), customField1: (.OrderNumber + "|" + (.Brand__c // "-")),
                       customField2: (.Tax_Id__c | said)} | set),
    internationalOptions: (if $country == "US" then null else {contents: "merchandise", nonDelivery: "return_to_sender", customsItems: [$lines[] | .Product2 as $product | {
      description: first($product.Customs_Description__c | said; $product.Name | said | if . then .[:200] else . end), quantity: .Quantity, value: .UnitPrice,
      harmonizedTariffCode: first($product.Tariff_Code__c | said; $skus[$product.ProductCode][2]),
      countryOfOrigin: first($product.Country_Of_Origin__c | said; $skus[$product.ProductCode][1])
    } | set]} end)
  } | set
