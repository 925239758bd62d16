variable "name" {
  description = "Name of the network and prefix of its parts' names."
  type        = string
}

variable "region" {
  description = "AWS region, for the names of endpoint services."
  type        = string
}

variable "cidr" {
  description = "CIDR block of the network: a /16, of which every subnet uses a /24."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.cidr)) && endswith(var.cidr, "/16")
    error_message = "cidr must be an IPv4 /16, such as 10.40.0.0/16."
  }
}

variable "zones" {
  description = "Availability zones; each gets one public and one private subnet."
  type        = list(string)
}

variable "interface_endpoints" {
  description = "AWS services with an interface endpoint, by the last part of the endpoint's name, such as kinesis-streams."
  type        = set(string)
}

variable "nat" {
  description = "Whether the private subnets have outbound access through a NAT gateway."
  type        = bool
}
